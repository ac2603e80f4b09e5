using Taba.Grains.Stages;
using Taba.Simulation.Scheduling;
using Taba.Storage.Checkpoints;

namespace Taba.Simulation;

/// <summary>
/// A cluster and its settings, small ones drawn by chance among them: what is rare by default must happen in a short run.
/// </summary>
sealed record Settings
{
    public required int Machines { get; init; }

    /// <summary>The first so many machines only coordinate.</summary>
    public required int Coordinators { get; init; }

    public required LeaseOptions Leases { get; init; }

    public required CheckpointOptions Checkpoints { get; init; }

    public required int Slots { get; init; }

    public required int BatchSize { get; init; }

    public required TimeSpan StepTime { get; init; }

    public required TimeSpan CheckpointEvery { get; init; }

    public required TimeSpan SwitchAfter { get; init; }

    /// <summary>Height of a state, by which the grid of parts is cut: 256 gives parts of 32 rows, 4096 of 4.</summary>
    public required int Height { get; init; }

    public required int Steps { get; init; }

    /// <summary>How many rows a sweep may want.</summary>
    public IReadOnlyList<int> Rows { get; init; } = [4, 8, 16, 32, 40, 64];

    /// <summary>Whether runs are measured, in blocks.</summary>
    public bool Measures { get; init; }

    public required TimeSpan DeathNoticed { get; init; }

    /// <summary>How long the death of a silo goes unnoticed.</summary>
    public TimeSpan DetectAfter(Rng random) => DeathNoticed * (0.5 + random.Unit());

    public static Settings Drawn(Rng random) => new()
    {
        Machines = random.Between(2, 4),
        Coordinators = random.Chance(0.5) ? 1 : 0,
        Leases = new()
        {
            Duration = TimeSpan.FromSeconds(random.OneOf(10, 20, 30)),
            RenewEvery = TimeSpan.FromSeconds(random.OneOf(1, 2)),
            StrikesBeforeSplit = random.OneOf(2, 3, 3),
            LongestPause = TimeSpan.FromSeconds(random.OneOf(10, 60, 300)),
        },
        Checkpoints = new() { RetryAfter = TimeSpan.FromSeconds(random.OneOf(0.1, 2)) },
        Slots = random.OneOf(8, 16, 32),
        BatchSize = random.OneOf(4, 8, 16),
        StepTime = TimeSpan.FromMilliseconds(random.OneOf(50, 200, 400)),
        CheckpointEvery = TimeSpan.FromSeconds(random.OneOf(0.5, 2, 10)),
        SwitchAfter = TimeSpan.FromSeconds(random.OneOf(0, 5, 60)),
        Height = random.OneOf(1 << 20, 1 << 19, 1 << 18, 1 << 17),
        Steps = random.OneOf(6, 10, 20),
        DeathNoticed = TimeSpan.FromSeconds(random.OneOf(3, 6, 12)),
    };
}
