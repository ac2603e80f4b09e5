using Taba.Grains.Sweeps;

namespace Taba.Client.Sweeps;

/// <summary>Reads <c>interventions</c>: a list of <c>swap</c> and <c>forward</c>, whose values may be lists.</summary>
static class InterventionReader
{
    public static IReadOnlyList<Intervention> Read(YamlNode node, SweepPaths paths)
    {
        if (node is not YamlList list)
            throw node.Refuse($"interventions is {node.Kind}: expected a list of swap and forward.");
        return [.. list.Items.SelectMany(item => One(item, paths))];
    }

    static IEnumerable<Intervention> One(YamlNode item, SweepPaths paths)
    {
        var kinds = new SweepFields(item, "an intervention", "swap", "forward");
        if (kinds.Has("swap") == kinds.Has("forward"))
            throw item.Refuse("an intervention is either a swap or a forward: write each as its own entry of the list.");
        return kinds.Find("swap") is { } swap ? Swap(swap, paths) : Forward(kinds.Find("forward")!);
    }

    static IEnumerable<Intervention> Swap(YamlNode node, SweepPaths paths)
    {
        var fields = new SweepFields(node, "swap", "type", "before", "path");
        var kinds = fields.Axis(
            "type", (n, key) => SweepFields.ChoiceOf(n, key, ("eps", InterventionKind.SwapEps), ("xt", InterventionKind.SwapXt)),
            InterventionKind.SwapEps);
        var path = paths.File(fields.Text("path"));
        return
            from kind in kinds
            from before in Before(node, fields)
            select new Intervention(kind, before, SwapPath: path);
    }

    static IEnumerable<Intervention> Forward(YamlNode node)
    {
        var fields = new SweepFields(node, "forward", "before", "seed");
        return
            from seed in fields.Axis("seed", SweepFields.LongOf, 42)
            from before in Before(node, fields)
            select new Intervention(InterventionKind.Forward, before, seed);
    }

    static IReadOnlyList<int> Before(YamlNode node, SweepFields fields) => fields.Has("before")
        ? fields.Axis("before", SweepFields.IntOf)
        : throw node.Refuse("before is missing: give K, the number of inversion steps that are replaced.");
}
