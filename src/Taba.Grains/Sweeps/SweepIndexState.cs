using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>The durable list of sweeps: those that live, and the last ones that ended.</summary>
[GenerateSerializer, Alias("taba.SweepIndexState")]
public sealed record SweepIndexState
{
    [Id(0)] public int Schema { get; init; } = 2;

    // Id 1 was the ids of live sweeps alone.

    [Id(2)] public ImmutableArray<SweepEntry> Sweeps { get; init; } = [];
}
