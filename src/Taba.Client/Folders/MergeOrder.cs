using Taba.Grains;

namespace Taba.Client.Folders;

/// <summary>Puts parts into order, and refuses those that are not all the parts of one run.</summary>
static class MergeOrder
{
    /// <summary>Parameters in which the parts of one run may differ.</summary>
    static readonly string[] s_ofThePart = ["part_idx", "output_dir", "save_dir", "cmd"];

    /// <exception cref="BadInputException">Not consecutive parts of one run.</exception>
    public static IReadOnlyList<MergePart> Of(IReadOnlyList<MergePart> parts)
    {
        if (parts.Count < 2)
            throw new BadInputException("A merge needs at least two part folders.");
        var ordered = parts.All(p => p.Manifest is not null)
            ? parts.OrderBy(p => p.Manifest!.RowStart).ToList()
            : parts.OrderBy(p => p.PartIdx ?? throw Unordered(p)).ToList();
        var first = ordered[0];
        for (var i = 0; i < ordered.Count; i++)
        {
            RequireSameRun(first, ordered[i]);
            RequirePlace(ordered, i);
        }
        if (first.NParts is { } nParts && nParts != ordered.Count)
            throw new BadInputException(
                $"{first.Folder} is one of {nParts} parts, and {ordered.Count} folders were given: give all of them.");
        return ordered;
    }

    static void RequireSameRun(MergePart first, MergePart part)
    {
        if (!part.Files.Keys.Order(StringComparer.Ordinal).SequenceEqual(first.Files.Keys.Order(StringComparer.Ordinal)))
            throw new BadInputException(
                $"{part.Folder} holds {string.Join(", ", part.Files.Keys)} and {first.Folder} holds "
                + $"{string.Join(", ", first.Files.Keys)}: these are not parts of one run.");
        if (part.Manifest is { } a && first.Manifest is { } b && !a.Stages.Select(s => s.Key).SequenceEqual(b.Stages.Select(s => s.Key)))
        {
            var differing = a.Stages.Zip(b.Stages)
                .SelectMany(pair => pair.First.Fields.Where(f => pair.Second.Fields.GetValueOrDefault(f.Key) != f.Value).Select(f => f.Key))
                .Distinct();
            throw new BadInputException(
                $"{part.Folder} and {first.Folder} are not parts of one run: they differ in "
                + $"{string.Join(", ", differing.DefaultIfEmpty("their stages"))}.");
        }
        if (part.Parameters is { } p && first.Parameters is { } q)
        {
            var differing = p.Select(f => f.Key).Union(q.Select(f => f.Key)).Except(s_ofThePart).Where(
                key => p[key]?.ToJsonString() != q[key]?.ToJsonString()).ToList();
            if (differing.Count > 0)
                throw new BadInputException(
                    $"{part.Folder} and {first.Folder} are not parts of one run: they differ in {string.Join(", ", differing)}.");
        }
    }

    static void RequirePlace(List<MergePart> ordered, int place)
    {
        var part = ordered[place];
        if (part.PartIdx is { } index && index != place)
            throw new BadInputException($"Part {place} is missing: the folder in its place is {part.Folder}, part {index}.");
        if (part.Manifest is not { } manifest)
            return;
        var expected = place == 0 ? 0 : ordered[place - 1].Manifest?.RowEnd ?? manifest.RowStart;
        if (manifest.RowStart != expected)
            throw new BadInputException(
                $"{part.Folder} holds rows {manifest.RowStart} to {manifest.RowEnd - 1}, and row {expected} should come next: a part is "
                + "missing or given twice.");
    }

    static BadInputException Unordered(MergePart part) => new($"{part.Folder} says nowhere which part it is (part_idx in metrics.json).");
}
