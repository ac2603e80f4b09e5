namespace Taba.Diffusion.Metrics;

/// <summary>Rows that follow each other.</summary>
readonly record struct RowRange(long First, int Count)
{
    internal long End => First + Count;

    /// <summary>Rows of a part, checked against the number that there are.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They lie outside.</exception>
    internal static RowRange Of(long first, long count, long rows) =>
        first < 0 || count < 0 || first > rows - count
            ? throw new ArgumentOutOfRangeException(nameof(first), $"Rows {first} to {first + count} do not lie within {rows} rows.")
            : new RowRange(first, checked((int)count));

    internal IEnumerable<RowRange> Blocks(int rowsAtOnce)
    {
        for (var first = First; first < End; first += rowsAtOnce)
            yield return new RowRange(first, (int)Math.Min(rowsAtOnce, End - first));
    }

    internal RowRange Intersect(RowRange other)
    {
        var first = Math.Max(First, other.First);
        return new RowRange(first, (int)Math.Max(0, Math.Min(End, other.End) - first));
    }
}
