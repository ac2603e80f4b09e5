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

    /// <summary>How long it takes if no device ever waits.</summary>
    public TimeSpan Ideal => PassTime * ((double)Samples * Steps / Batch / (Silos * DevicesPerSilo));
}
