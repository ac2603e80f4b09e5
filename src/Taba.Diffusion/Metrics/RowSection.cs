namespace Taba.Diffusion.Metrics;

/// <summary>Rows that follow each other.</summary>
readonly record struct RowSection(long First, int Count)
{
    internal long End => First + Count;

    /// <summary>Rows of a part, checked against the number that there are.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They lie outside.</exception>
    internal static RowSection Of(long first, long count, long rows) =>
        first < 0 || count < 0 || first > rows - count
            ? throw new ArgumentOutOfRangeException(nameof(first), $"Rows {first} to {first + count} do not lie within {rows} rows.")
            : new RowSection(first, checked((int)count));

    internal IEnumerable<RowSection> Blocks(int rowsAtOnce)
    {
        for (var first = First; first < End; first += rowsAtOnce)
            yield return new RowSection(first, (int)Math.Min(rowsAtOnce, End - first));
    }

    internal RowSection Intersect(RowSection other)
    {
        var first = Math.Max(First, other.First);
        return new RowSection(first, (int)Math.Max(0, Math.Min(End, other.End) - first));
    }
}
