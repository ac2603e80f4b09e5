namespace Taba.Diffusion.Metrics.Neighbours;

/// <summary>The k nearest candidates of each query of a block. Of candidates that are equally near the first one counts.</summary>
sealed class Nearest
{
    readonly int _k;
    readonly double[] _distances;
    readonly long[] _rows;

    internal Nearest(int queries, int k)
    {
        _k = k;
        _distances = new double[queries * k];
        _rows = new long[queries * k];
        _distances.AsSpan().Fill(double.PositiveInfinity);
        _rows.AsSpan().Fill(-1);
    }

    /// <summary>Rows of the candidates, nearest first; -1 where there were fewer, or where distances were no numbers.</summary>
    internal ReadOnlySpan<long> Rows(int query) => _rows.AsSpan(query * _k, _k);

    /// <summary>Their distances.</summary>
    internal ReadOnlySpan<double> Distances(int query) => _distances.AsSpan(query * _k, _k);

    /// <summary>Takes in candidates that follow those before.</summary>
    /// <param name="query">Within the block.</param>
    /// <param name="first">The row of the first candidate.</param>
    /// <param name="distances">Of the candidates.</param>
    /// <param name="except">A row that is no candidate: the query itself; or -1.</param>
    internal void Offer(int query, long first, ReadOnlySpan<double> distances, long except)
    {
        var kept = _distances.AsSpan(query * _k, _k);
        var rows = _rows.AsSpan(query * _k, _k);
        for (var i = 0; i < distances.Length; i++)
        {
            var distance = distances[i];
            if (!(distance < kept[^1]) || first + i == except)
                continue;

            var at = _k - 1;
            for (; at > 0 && kept[at - 1] > distance; at--)
                (kept[at], rows[at]) = (kept[at - 1], rows[at - 1]);
            (kept[at], rows[at]) = (distance, first + i);
        }
    }

    /// <summary>Finds the nearest candidates of all queries, block by block.</summary>
    /// <param name="queries">The rows that are asked about.</param>
    /// <param name="of">Which of them.</param>
    /// <param name="candidates">The rows that are looked through.</param>
    /// <param name="within">Which of them.</param>
    /// <param name="k">How many, 1 or more.</param>
    /// <param name="withoutItself">Whether the candidate of a query's own row is left out.</param>
    /// <param name="take">Gets each block of queries and its nearest, by squared distance.</param>
    /// <param name="cancellation">Ends the work between two blocks.</param>
    internal static void Find(
        IRowAccess queries,
        RowSection of,
        IRowAccess candidates,
        RowSection within,
        int k,
        bool withoutItself,
        Action<RowSection, Nearest> take,
        CancellationToken cancellation)
    {
        Nearest? nearest = null;
        RowBlocks.SquaredDistances(
            queries,
            of,
            candidates,
            within,
            (outer, inner, values) =>
            {
                if (inner.First == within.First)
                    nearest = new Nearest(outer.Count, k);
                for (var i = 0; i < outer.Count; i++)
                    nearest!.Offer(i, inner.First, values.Slice(i * inner.Count, inner.Count), withoutItself ? outer.First + i : -1);
                if (inner.End == within.End)
                    take(outer, nearest!);
            },
            cancellation);
    }
}
