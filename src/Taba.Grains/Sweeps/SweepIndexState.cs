using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>The durable list of sweeps: those that live, and the last ones that ended.</summary>
[GenerateSerializer, Alias("taba.SweepIndexState")]
public sealed record SweepIndexState
{
    [Id(0)] public int Schema { get; init; } = 2;

    // Id 1 was the ids of live sweeps alone.

    [Id(2)] public ImmutableArray<SweepEntry> Sweeps { get; init; } = [];

    /// <summary>Sweeps that ended and are listed no more, the oldest first. Their states are there until upkeep clears them.</summary>
    [Id(3)] public ImmutableArray<EndedSweep> Unlisted { get => field.IsDefault ? [] : field; init; } = [];
}

/// <summary>A sweep whose states are to be cleared one day.</summary>
[GenerateSerializer, Immutable, Alias("taba.EndedSweep")]
public readonly record struct EndedSweep(string SweepId, DateTimeOffset EndedAt);
