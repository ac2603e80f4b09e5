using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Grains.Dispatch;

/// <summary>What a stage has to do, and for whom.</summary>
/// <param name="Version">Tells which of two offers is newer.</param>
/// <param name="Inputs">Stages whose rows it reads.</param>
/// <param name="Rows">For each sweep that still waits for rows of it: how many could be computed now.</param>
[GenerateSerializer, Immutable, Alias("taba.StageOffer")]
public sealed record StageOffer(
    StageWork Work, NewsVersion Version, ImmutableArray<string> Inputs, ImmutableArray<OfferedRows> Rows)
{
    /// <summary>Workers that get nothing of it for a while.</summary>
    [Id(10)] public ImmutableArray<WorkerPause> Pauses { get => field.IsDefault ? [] : field; init; } = [];
}

/// <summary>Rows of a stage that a sweep waits for.</summary>
/// <param name="Depth">How many stages of the sweep come before it: the deepest are served first.</param>
/// <param name="Ready">Rows that are neither done nor out with workers, whose inputs are there, and that anybody may take.</param>
[GenerateSerializer, Immutable, Alias("taba.OfferedRows")]
public readonly record struct OfferedRows(string SweepId, int Depth, int Ready)
{
    /// <summary>When there are no others: suspect rows, for a worker that holds nothing (docs/design/blame.md).</summary>
    [Id(10)] public int Suspect { get; init; }
}

/// <summary>A worker that a stage gives nothing for a while.</summary>
/// <param name="Rest">How much longer.</param>
[GenerateSerializer, Immutable, Alias("taba.WorkerPause")]
public readonly record struct WorkerPause(string Worker, TimeSpan Rest)
{
    /// <summary>Why, in words; null from one that is too old to say.</summary>
    [Id(10)] public string? Reason { get; init; }
}
