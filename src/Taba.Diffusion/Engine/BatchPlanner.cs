namespace Taba.Diffusion.Engine;

/// <summary>Chooses the rows of a turn and the shape of its forward pass. Holds no tensors.</summary>
sealed class BatchPlanner
{
    readonly int[] _buckets;
    readonly bool _deterministic;

    public BatchPlanner(EngineOptions options)
    {
        _deterministic = options.Deterministic;
        Limit = options.LargestBatch;
        _buckets = _deterministic
            ? [Limit]
            : [.. (options.Buckets ?? DefaultBuckets(Limit)).Where(b => b < Limit).Append(Limit).Distinct().Order()];
        if (!_deterministic)
            Limit = Math.Min(Limit, options.BatchLimit ?? Limit);
    }

    /// <summary>The most rows of a forward pass at present.</summary>
    public int Limit { get; private set; }

    /// <summary>The batch shape in which <paramref name="rows"/> rows (1 .. <see cref="Limit"/>) go through the network.</summary>
    public int Bucket(int rows)
    {
        foreach (var bucket in _buckets)
        {
            if (bucket >= rows)
                return Math.Min(bucket, Limit);
        }
        throw new ArgumentOutOfRangeException(nameof(rows), rows, $"A forward pass has at most {Limit} rows.");
    }

    /// <summary>Rows of the network that these trajectories take.</summary>
    public static int RowsOf(List<Trajectory> trajectories)
    {
        var rows = 0;
        foreach (var trajectory in trajectories)
            rows += trajectory.NetworkRows;
        return rows;
    }

    /// <summary>Allows forward passes half as large as one of <paramref name="rows"/> rows, which did not fit the device.</summary>
    /// <param name="rows">Rows of the pass.</param>
    /// <param name="least">Rows that one of its trajectories needs.</param>
    /// <returns>False when there is nothing to halve: one trajectory, or a pinned shape.</returns>
    public bool LowerLimit(int rows, int least = 1)
    {
        if (_deterministic || rows / 2 < least)
            return false;
        Limit = Math.Min(Limit, rows / 2);
        return true;
    }

    /// <summary>
    /// Sorts the ready ones of <paramref name="active"/> by what they need: up to <see cref="Limit"/> for the network,
    /// earlier admissions first so that a group ends together, and all those whose replacement is at hand.
    /// </summary>
    public void Pick(IReadOnlyList<Trajectory> active, List<Trajectory> network, List<Trajectory> swappedEps, List<Trajectory> swappedXt)
    {
        network.Clear();
        swappedEps.Clear();
        swappedXt.Clear();
        var rows = 0;
        for (var i = 0; i < active.Count; i++)
        {
            var trajectory = active[i];
            switch (trajectory.Need)
            {
                case Need.Network when rows + trajectory.NetworkRows <= Limit:
                    network.Add(trajectory);
                    rows += trajectory.NetworkRows;
                    break;
                case Need.SwappedEps:
                    swappedEps.Add(trajectory);
                    break;
                case Need.SwappedXt:
                    swappedXt.Add(trajectory);
                    break;
            }
        }
    }

    /// <summary>Some rows are ready for the network, but fewer than a forward pass may have.</summary>
    public bool IsShort(IReadOnlyList<Trajectory> active)
    {
        var ready = 0;
        for (var i = 0; i < active.Count; i++)
            ready += active[i].Need == Need.Network ? active[i].NetworkRows : 0;
        return ready > 0 && ready < Limit;
    }

    /// <summary>1, 2, 3, 4, 6, 8, 12, ...: no shape pads by more than half, and few shapes cover all.</summary>
    static IEnumerable<int> DefaultBuckets(int limit)
    {
        yield return 1;
        for (var power = 2; power <= limit; power *= 2)
        {
            yield return power;
            yield return power + power / 2;
        }
    }
}
