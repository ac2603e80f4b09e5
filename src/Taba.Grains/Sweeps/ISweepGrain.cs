using System.Collections.Immutable;
using Orleans.Concurrency;
using Taba.Grains.Stages;

namespace Taba.Grains.Sweeps;

/// <summary>A sweep: the plan, and what became of it. The key is the sweep's id.</summary>
[Alias("taba.ISweepGrain")]
public interface ISweepGrain : IGrainWithStringKey
{
    /// <summary>
    /// Takes the plan and asks its stages for their rows. Idempotent: the same plan again continues. It answers when all stages have heard,
    /// or after a few seconds: the plan is written, and they will.
    /// </summary>
    [ForClients, Alias("Submit")]
    Task<SweepStatus> SubmitAsync(SweepPlan plan);

    /// <summary>One of its stages says how it stands for this sweep. Idempotent; what is older than what was heard is left aside.</summary>
    [AlwaysInterleave, Alias("StageChanged")]
    Task StageChangedAsync(StageReport report);

    /// <summary>Makes sure that the sweep is awake: it looks after its own as long as it lives.</summary>
    [AlwaysInterleave, Alias("Wake")]
    Task WakeAsync();

    [ForClients, AlwaysInterleave, Alias("Status")]
    ValueTask<SweepStatus> GetStatusAsync();

    /// <summary>Snapshots as they change, at least every few seconds, until the sweep ends.</summary>
    [ForClients, AlwaysInterleave, Alias("Watch")]
    IAsyncEnumerable<SweepStatus> WatchAsync(long sinceVersion, CancellationToken cancellationToken = default);

    /// <summary>Stops handing out work. What was published stays.</summary>
    [ForClients, Alias("Cancel")]
    Task CancelAsync();

    /// <summary>Hands out no more work until resumed; parts that are out are finished. Idempotent.</summary>
    [ForClients, Alias("Pause")]
    Task PauseAsync();

    /// <summary>Hands out work again. Idempotent.</summary>
    [ForClients, Alias("Resume")]
    Task ResumeAsync();

    /// <summary>Tries failed samples again, of a sweep that lives or has ended, was stopped or cancelled. Idempotent.</summary>
    [ForClients, Alias("Retry")]
    Task<SweepStatus> RetryAsync();

    /// <summary>The plan as it was submitted last; null when there is no such sweep.</summary>
    [ForClients, AlwaysInterleave, Alias("Plan")]
    ValueTask<SweepPlan?> GetPlanAsync();

    /// <summary>What happened to it, the oldest first: a bounded number of entries, of which each kind keeps its newest.</summary>
    [ForClients, AlwaysInterleave, Alias("Log")]
    ValueTask<ImmutableArray<SweepLogEntry>> GetLogAsync();

    /// <summary>
    /// Whoever wrote a run folder tells its numbers, for those who look at the sweep. Idempotent; runs that are not of the plan are left
    /// aside.
    /// </summary>
    [ForClients, Alias("TellMetrics")]
    Task MetricsAsync(RunNumbers metrics);

    /// <summary>The numbers of run folders that were told, in the plan's order.</summary>
    [ForClients, AlwaysInterleave, Alias("Metrics")]
    ValueTask<ImmutableArray<RunNumbers>> GetMetricsAsync();

    /// <summary>
    /// Tells a stage that some of its published rows cannot be read: it asks the store what it has of them. A sweep that is submitted
    /// afterwards computes what is missing.
    /// </summary>
    /// <param name="rows">Of at most 32 cells.</param>
    [ForClients, Alias("LookAgain")]
    Task LookAgainAsync(string stageKey, RowRange rows);

    /// <summary>Clears the states of a sweep that has ended, and of its stages that nobody else wants. Idempotent.</summary>
    /// <returns>False when it lives, or somebody has not heard of its end, or a part of it is still out.</returns>
    [Alias("Forget")]
    Task<bool> ForgetAsync();
}

/// <summary>The sweeps of this cluster. There is one such grain, with key 0.</summary>
[Alias("taba.ISweepIndexGrain")]
public interface ISweepIndexGrain : IGrainWithIntegerKey
{
    /// <summary>A sweep lives. Idempotent; a sweep that is added again keeps its place.</summary>
    [Alias("Add")]
    Task AddAsync(SweepEntry entry);

    /// <summary>A sweep ended. Idempotent.</summary>
    [Alias("End")]
    Task EndAsync(string sweepId, SweepState state);

    /// <summary>
    /// A sweep says how far it is. Kept in memory, and written with the entry when the sweep ends. Idempotent; what is older than what was
    /// heard is left aside, and so is a sweep that is not listed as live.
    /// </summary>
    [AlwaysInterleave, Alias("Progress")]
    Task ProgressAsync(SweepProgress progress);

    /// <summary>Sweeps that ended before a time, listed or not, and whose states may be there still.</summary>
    [AlwaysInterleave, Alias("Ended")]
    ValueTask<ImmutableArray<string>> GetEndedAsync(DateTimeOffset before);

    /// <summary>The states of these sweeps are cleared: they are listed no more, unless they live again. Idempotent.</summary>
    [Alias("Forget")]
    Task ForgetAsync(ImmutableArray<string> sweepIds);

    /// <summary>Sweeps that are not finished, paused ones included, in the order in which they were submitted.</summary>
    [AlwaysInterleave, Alias("Live")]
    ValueTask<ImmutableArray<SweepEntry>> GetLiveAsync();

    /// <summary>Those that live, and those that ended last, the newest first.</summary>
    [AlwaysInterleave, Alias("All")]
    ValueTask<ImmutableArray<SweepEntry>> GetAllAsync();

    /// <summary>Some of those, with how far they are.</summary>
    /// <param name="from">How many to leave out.</param>
    /// <param name="count">The most to answer with, 1 .. <see cref="SweepPage.MostEntries"/>.</param>
    [ForClients, AlwaysInterleave, Alias("Page")]
    ValueTask<SweepPage> GetPageAsync(int from, int count);
}

/// <summary>A sweep in the index.</summary>
/// <param name="Ended">How it ended; null while it lives.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepEntry")]
public sealed record SweepEntry(
    string SweepId, string Name, int Priority, bool Paused, DateTimeOffset SubmittedAt, SweepState? Ended, DateTimeOffset? EndedAt)
{
    /// <summary>Who submitted it; null when they did not say.</summary>
    [Id(10)] public string? User { get; init; }

    /// <summary>How far it is; null when the index has not heard yet.</summary>
    [Id(11)] public SweepProgress? Progress { get; init; }
}
