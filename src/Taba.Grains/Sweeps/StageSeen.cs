using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>What the log of a sweep has of a stage: whatever differs from this is news. Stages without news have none.</summary>
[GenerateSerializer, Immutable, Alias("taba.StageSeen")]
public sealed record StageSeen(string Key)
{
    /// <summary>All its rows are there, or given up.</summary>
    [Id(0)] public bool Done { get; init; }

    /// <summary>Samples that were given up.</summary>
    [Id(1)] public int Failed { get; init; }

    /// <summary>The time of the last loss of parts.</summary>
    [Id(2)] public DateTimeOffset LostAt { get; init; }

    /// <summary>Hosts that failed and get nothing.</summary>
    [Id(3)] public ImmutableArray<string> Paused { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Silos that cannot serve its model.</summary>
    [Id(4)] public ImmutableArray<string> Refusing { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>It does not answer.</summary>
    [Id(5)] public bool Silent { get; init; }

    /// <summary>Nobody can go on with it.</summary>
    [Id(6)] public bool Stuck { get; init; }

    /// <summary>Nothing is known of it that a stage that was never heard of has not.</summary>
    public bool IsEmpty => !Done && Failed == 0 && LostAt == default && Paused.IsEmpty && Refusing.IsEmpty && !Silent && !Stuck;
}
