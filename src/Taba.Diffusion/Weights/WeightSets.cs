using System.Text.RegularExpressions;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Finds the sets of weights among the files of a component's folder, by the names that diffusers and transformers give them:
/// <c>diffusion_pytorch_model[.VARIANT].safetensors|bin</c>, <c>model[.VARIANT].safetensors</c>, <c>pytorch_model[.VARIANT].bin</c>, and
/// their indices <c>NAME.index[.VARIANT].json</c>.
/// </summary>
static partial class WeightSets
{
    static readonly string[] s_preferredVariants = ["fp16", "bf16"];

    /// <summary>All sets of a folder, the preferred ones first: safetensors before torch.save, whole files before shards.</summary>
    public static IReadOnlyList<WeightSet> In(string folder, IEnumerable<string> fileNames) =>
        [.. fileNames.Select(name => Parse(folder, name)).OfType<WeightSet>()
            .OrderBy(set => !set.IsSafetensors)
            .ThenBy(set => set.IsSharded)
            .ThenBy(set => set.EntryFile, StringComparer.Ordinal)];

    /// <summary>
    /// Chooses a set. With a variant: that one and no other. Without: the files without a variant; where there are none, fp16, then
    /// bf16, then the only variant there is.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no such set, or nothing says which.</exception>
    public static WeightSet Choose(string folder, IReadOnlyList<WeightSet> sets, string? variant)
    {
        if (sets.Count == 0)
        {
            throw new InvalidDataException(
                $"The folder {folder} holds no weights: expected diffusion_pytorch_model.safetensors, model.safetensors, their .bin "
                + "forms, or an index of shards.");
        }

        if (variant is not null)
        {
            return sets.FirstOrDefault(set => set.Variant == variant) ?? throw new InvalidDataException(
                $"The folder {folder} holds no weights of variant '{variant}': there are "
                + $"{string.Join(", ", sets.Select(set => set.EntryFile))}.");
        }

        foreach (var wanted in s_preferredVariants.Prepend(null))
        {
            if (sets.FirstOrDefault(set => set.Variant == wanted) is { } found)
                return found;
        }

        return sets.Select(set => set.Variant).Distinct().Count() == 1
            ? sets[0]
            : throw new InvalidDataException(
                $"The folder {folder} holds several variants and none is plain: name one of "
                + $"{string.Join(", ", sets.Select(set => set.Variant).Distinct())}.");
    }

    static WeightSet? Parse(string folder, string name)
    {
        var whole = WholeFile().Match(name);
        var match = whole.Success ? whole : IndexFile().Match(name);
        if (!match.Success || ShardNumber().IsMatch(name))
            return null;
        var (inner, outer) = (match.Groups["variant"], match.Groups["indexVariant"]);
        if (inner.Success && outer.Success)
            return null;
        var variant = inner.Success ? inner.Value : outer.Success ? outer.Value : null;
        return new WeightSet(folder, variant, match.Groups["safetensors"].Success, name, IsSharded: !whole.Success);
    }

    const string Stem =
        @"^(?:(?:diffusion_pytorch_model|model)(?:\.(?<variant>[A-Za-z0-9_-]+))?\.(?<safetensors>safetensors)"
        + @"|(?:diffusion_pytorch_model|pytorch_model)(?:\.(?<variant>[A-Za-z0-9_-]+))?\.bin)";

    [GeneratedRegex(Stem + "$", RegexOptions.CultureInvariant)]
    private static partial Regex WholeFile();

    [GeneratedRegex(Stem + @"\.index(?:\.(?<indexVariant>[A-Za-z0-9_-]+))?\.json$", RegexOptions.CultureInvariant)]
    private static partial Regex IndexFile();

    [GeneratedRegex(@"-\d+-of-\d+\.", RegexOptions.CultureInvariant)]
    private static partial Regex ShardNumber();
}
