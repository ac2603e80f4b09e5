using System.Collections.Immutable;

namespace Taba.Grains.Dispatch;

/// <summary>A question for what the dispatcher knows of some sweeps and workers.</summary>
/// <param name="Sweeps">Ids; the first <see cref="DispatchStanding.Most"/> count.</param>
/// <param name="Workers">Addresses; the first <see cref="DispatchStanding.Most"/> count.</param>
[GenerateSerializer, Immutable, Alias("taba.StandingAsk")]
public sealed record StandingAsk(ImmutableArray<string> Sweeps, ImmutableArray<string> Workers);

/// <summary>What the dispatcher knows: who has work, and who asked for some in vain. Its size follows the question.</summary>
/// <param name="SweepsLive">Sweeps that live, paused ones included.</param>
/// <param name="SweepsPaused">Of these, paused ones.</param>
/// <param name="RowsReady">Rows of those that are not paused that could be computed now.</param>
/// <param name="WorkersWaiting">Workers that have room for rows with steps and found nothing.</param>
/// <param name="Sweeps">Those that were asked for and live.</param>
/// <param name="Workers">Those that were asked for and have asked for work.</param>
[GenerateSerializer, Immutable, Alias("taba.DispatchStanding")]
public sealed record DispatchStanding(
    int SweepsLive, int SweepsPaused, long RowsReady, int WorkersWaiting, ImmutableArray<SweepStanding> Sweeps,
    ImmutableArray<WorkerStanding> Workers)
{
    /// <summary>The most sweeps, and the most workers, of one question.</summary>
    public const int Most = 200;

    /// <summary>The most pauses of a worker, and the most silent stages, of one answer.</summary>
    public const int MostOfEach = 8;

    /// <summary>Stages of these sweeps that gave a worker no answer and are left alone for a while; the first few.</summary>
    [Id(10)] public ImmutableArray<StageSilence> Silent { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Workers that have room for parts without steps and found nothing.</summary>
    [Id(11)] public int WorkersWaitingForParts { get; init; }
}

/// <summary>A sweep as the dispatcher sees it.</summary>
/// <param name="RowsReady">Rows of it that could be computed now.</param>
/// <param name="Behind">The name of a sweep of higher priority that has such rows, and so goes first; null when there is none.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepStanding")]
public readonly record struct SweepStanding(string SweepId, int Priority, bool Paused, long RowsReady, string? Behind);

/// <summary>A worker as the dispatcher sees it.</summary>
/// <param name="Worker">Its address.</param>
/// <param name="Waits">
/// How long it has had room for rows with steps and found nothing; null when it has none, or found something last.
/// </param>
/// <param name="Pauses">Stages that give it nothing for a while; the first few.</param>
[GenerateSerializer, Immutable, Alias("taba.WorkerStanding")]
public sealed record WorkerStanding(string Worker, TimeSpan? Waits, ImmutableArray<StagePause> Pauses);

/// <summary>A stage that gives a worker nothing for a while, because its host failed there.</summary>
/// <param name="StageKey">The stage.</param>
/// <param name="Stage">What it is, in two words.</param>
/// <param name="Reason">What failed.</param>
/// <param name="Rest">How much longer; the longest that there is when only a submission ends it.</param>
[GenerateSerializer, Immutable, Alias("taba.StagePause")]
public readonly record struct StagePause(string StageKey, string Stage, string Reason, TimeSpan Rest);

/// <summary>A stage that gave a worker no answer.</summary>
/// <param name="Reason">The error of the call.</param>
/// <param name="OfStore">A store or database is away, by what the stage says.</param>
/// <param name="Rest">It is asked again after so long.</param>
[GenerateSerializer, Immutable, Alias("taba.StageSilence")]
public readonly record struct StageSilence(string StageKey, string Reason, bool OfStore, TimeSpan Rest);
