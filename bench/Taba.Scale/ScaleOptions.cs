namespace Taba.Scale;

/// <summary>The shape of a simulation.</summary>
sealed record ScaleOptions
{
    public int Silos { get; init; } = 8;

    public int DevicesPerSilo { get; init; } = 8;

    /// <summary>Rows of a pass.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>What a pass takes, whatever its rows.</summary>
    public TimeSpan PassTime { get; init; } = TimeSpan.FromMilliseconds(50);

    public int Samples { get; init; } = 1_000_000;

    /// <summary>T.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Steps between two reports of a trajectory.</summary>
    public int SegmentSteps { get; init; } = 50;

    /// <summary>Rows of a part: a power of two, at most what the part grid allows.</summary>
    public int PartRows { get; init; } = Grains.Stages.PartGrid.MaxRows;

    /// <summary>Samples of a sweep before the measured one, while code is compiled; 0 for none.</summary>
    public int WarmUp { get; init; }

    /// <summary>
    /// Whether the sweep inverts its samples, as they are and with three interventions (two swaps and a forward replacement). Else
    /// it only samples.
    /// </summary>
    public bool Dependents { get; init; }

    /// <summary>Whether each inversion is followed by its reconstruction.</summary>
    public bool Reconstruct { get; init; }

    /// <summary>Sweeps that are submitted together. They share all stages but some interventions.</summary>
    public int Sweeps { get; init; } = 1;

    /// <summary>Priority of the second of them; the first has 0.</summary>
    public int Priority { get; init; }

    /// <summary>Whether the coordinator is killed and started again when half of the rows are done.</summary>
    public bool RestartCoordinator { get; init; }

    /// <summary>Whether there is one more silo, on which every part fails as it begins: its scratch disk is full.</summary>
    public bool BadHost { get; init; }

    /// <summary>Network evaluations a second of all devices together, when none waits.</summary>
    public double Speed => Batch / PassTime.TotalSeconds * Silos * DevicesPerSilo;
}
