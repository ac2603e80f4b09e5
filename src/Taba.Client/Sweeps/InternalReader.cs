using System.Globalization;
using Taba.Grains.Sweeps;

namespace Taba.Client.Sweeps;

/// <summary>Reads <c>internal</c>: true, false, or which steps and which tensors.</summary>
static class InternalReader
{
    const string EveryWord = "every ";

    public static InternalSelection Read(YamlNode node)
    {
        if (node is YamlScalar)
            return SweepFields.BoolOf(node, "internal") ? InternalSelection.All : InternalSelection.None;
        var fields = new SweepFields(node, "internal", "steps", "tensors");
        var kinds = fields.Axis("tensors", Kind, InternalSelection.All.Kinds).Aggregate(TensorKinds.None, (all, kind) => all | kind);
        return new InternalSelection(kinds, fields.Find("steps") is { } steps ? Every(steps) : 1);
    }

    static TensorKinds Kind(YamlNode node, string key) => SweepFields.ChoiceOf(
        node, key, ("xt", TensorKinds.State), ("eps", TensorKinds.Eps), ("pred_xstart", TensorKinds.PredXstart));

    static int Every(YamlNode node)
    {
        var text = SweepFields.TextOf(node, "steps");
        if (text == "all")
            return 1;
        return text.StartsWith(EveryWord, StringComparison.Ordinal)
            && int.TryParse(text[EveryWord.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var every) && every > 0
                ? every
                : throw node.Refuse($"steps is '{text}': expected all, or every N such as every 10.");
    }
}
