namespace Taba.Diffusion.Metrics.Neighbours;

/// <summary>The nearest row of another set by mean squared difference, the first of equals (upstream's argmin).</summary>
public static class NearestRows
{
    /// <summary>Finds the nearest candidate of some rows, in blocks of about 256 MiB.</summary>
    /// <param name="queries">The rows that are asked about.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="candidates">The rows that are looked through, all of them.</param>
    /// <param name="cancellation">Ends the work between two blocks.</param>
    /// <returns>
    /// Of each query the row of the nearest candidate (-1 where no distance is a number) and their mean squared difference.
    /// </returns>
    /// <exception cref="ArgumentException">Rows have other lengths or lie outside.</exception>
    public static IReadOnlyList<(long Row, double MeanSquaredDifference)> Find(
        IRowAccess queries, long first, long count, IRowAccess candidates, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(candidates);
        var found = new List<(long, double)>();
        Nearest.Find(
            queries,
            RowSection.Of(first, count, queries.Rows),
            candidates,
            RowSection.Of(0, candidates.Rows, candidates.Rows),
            1,
            withoutItself: false,
            (block, nearest) =>
            {
                for (var i = 0; i < block.Count; i++)
                    found.Add((nearest.Rows(i)[0], nearest.Distances(i)[0] / queries.RowLength));
            },
            cancellation);
        return found;
    }
}
