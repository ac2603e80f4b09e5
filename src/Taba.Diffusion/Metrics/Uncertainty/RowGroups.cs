namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>
/// Sixteen groups of neighbouring rows, and twenty ways to leave four of them out: the lines of the affine plane of order 4, whose points
/// are the groups. Every two groups lie on one line together, so that the twenty balance.
/// </summary>
public static class RowGroups
{
    /// <summary>Groups of rows.</summary>
    public const int Count = 16;

    /// <summary>Ways to leave out a quarter of them.</summary>
    public const int LineCount = 20;

    /// <summary>Two rows a group: with fewer rows no spread is told.</summary>
    public const long FewestRows = 2 * Count;

    /// <summary>Groups on each line, as bits.</summary>
    static readonly ushort[] s_lines = [.. Lines()];

    /// <summary>True when a line leaves a group out.</summary>
    /// <param name="line">0 to <see cref="LineCount"/> - 1.</param>
    /// <param name="group">0 to <see cref="Count"/> - 1.</param>
    public static bool LeavesOut(int line, int group) => (s_lines[line] >> group & 1) != 0;

    /// <summary>The group of a row among all that are measured, in order.</summary>
    public static int Of(long row, long rows) => (int)(row * Count / rows);

    /// <summary>The first row of the next group.</summary>
    public static long End(int group, long rows) => ((group + 1) * rows + Count - 1) / Count;

    /// <summary>Reads the rows of each group.</summary>
    internal static void ReadCounts(BinaryReader reader, long[] counts, long rows)
    {
        var read = reader.ReadLongs(Count);
        if (read.Length != Count || read.Any(c => c < 0 || c > rows) || read.Sum() > rows)
            throw new InvalidDataException($"Groups of [{string.Join(", ", read)}] rows are none of {rows} rows.");
        read.CopyTo(counts, 0);
    }

    /// <summary>y = mx + b for each slope m and each b, and x = c, over the field of four elements.</summary>
    static IEnumerable<ushort> Lines()
    {
        for (var slope = 0; slope < 4; slope++)
        {
            for (var at = 0; at < 4; at++)
                yield return Points(x => (x, Product(slope, x) ^ at));
        }
        for (var at = 0; at < 4; at++)
            yield return Points(y => (at, y));
    }

    static ushort Points(Func<int, (int X, int Y)> point) =>
        (ushort)Enumerable.Range(0, 4).Select(point).Aggregate(0, (bits, p) => bits | 1 << (4 * p.X + p.Y));

    /// <summary>Polynomials over two elements modulo x² + x + 1.</summary>
    static int Product(int a, int b)
    {
        var product = ((b & 1) * a) ^ ((b >> 1) * (a << 1));
        return product > 3 ? product ^ 7 : product;
    }
}
