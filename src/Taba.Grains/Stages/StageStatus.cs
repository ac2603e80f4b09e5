using System.Collections.Immutable;
using Taba.Grains.Faults;

namespace Taba.Grains.Stages;

/// <summary>A snapshot of one stage, as one sweep sees it.</summary>
/// <param name="Done">Wanted rows that are published with everything that the sweep wants kept.</param>
/// <param name="RowsReused">Of these, rows that were published before the sweep asked.</param>
/// <param name="Failures">The first failures in words, each with another reason.</param>
/// <param name="Fault">Why nobody can go on with it: set when every silo that could take it waits or refuses.</param>
[GenerateSerializer, Immutable, Alias("taba.StageStatus")]
public sealed record StageStatus(
    string Key,
    StageKind Kind,
    int RowsWanted,
    RowSet Done,
    int RowsReused,
    int RowsFailed,
    int PartsLeased,
    double EvaluationsPlanned,
    double EvaluationsDone,
    ImmutableArray<SampleFailure> Failures,
    string? Fault)
{
    public int RowsDone => Done.Count;

    /// <summary>Wanted rows that failed, by kind.</summary>
    /// <remarks>A status that an earlier version wrote lists them all in words.</remarks>
    [Id(21)] public ImmutableArray<FailedRows> Failed { get => field.IsDefault ? Stages.Failures.Of(Failures) : field; init; }

    /// <summary>Wanted rows that are out with workers.</summary>
    [Id(12)] public int RowsLeased { get; init; }

    /// <summary>Why the stage does not answer: the rest is how it was when it was heard of last. Null when it does.</summary>
    [Id(30)] public string? Silence { get; init; }

    /// <summary>The submission of the sweep (<see cref="StageDemand.Submission"/>) of which it speaks.</summary>
    [Id(31)] public int Submission { get; init; }

    /// <summary>Silos that cannot serve its model, while there are rows to compute.</summary>
    /// <remarks>A status that an earlier version wrote has no such field.</remarks>
    [Id(11)] public ImmutableArray<ModelRefusal> Refusals { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Hosts that failed at it and get nothing of it for a while; nobody waits for them.</summary>
    [Id(20)] public ImmutableArray<HostPause> Pauses { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Wanted rows that could be computed now: their inputs are there, and they are neither out, nor done, nor given up.</summary>
    [Id(32)] public int RowsReady { get; init; }

    /// <summary>Of these, suspect ones: they wait for a worker that holds nothing.</summary>
    [Id(33)] public int RowsSuspect { get; init; }

    /// <summary>Parts with wanted rows whose leases ended without their workers' doing, since the sweep asked.</summary>
    [Id(34)] public int PartsLost { get; init; }

    /// <summary>Whose <see cref="Fault"/> it is; null when there is none, or an earlier version wrote it.</summary>
    [Id(35)] public FaultOwner? FaultOwner { get; init; }

    /// <summary>What was lost of late without a worker's doing, the oldest first: at most <see cref="MostLosses"/>.</summary>
    [Id(40)] public ImmutableArray<PartsLoss> Losses { get => field.IsDefault ? [] : field; init; } = [];

    public const int MostLosses = 8;
}
