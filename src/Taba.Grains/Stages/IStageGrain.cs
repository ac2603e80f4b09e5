using System.Collections.Immutable;
using Orleans.Concurrency;
using Taba.Grains.Faults;

namespace Taba.Grains.Stages;

/// <summary>
/// The coordinator of a stage, for every sweep that wants it: which rows are published, which are leased and to whom.
/// The key is <c>stage-</c> and the stage's key.
/// </summary>
[Alias("taba.IStageGrain")]
public interface IStageGrain : IGrainWithStringKey
{
    /// <summary>A sweep wants these rows. Idempotent.</summary>
    [Alias("Demand")]
    Task DemandAsync(StageDemand demand);

    /// <summary>A sweep wants nothing more of this stage. Idempotent.</summary>
    [Alias("Withdraw")]
    Task WithdrawAsync(string sweepId);

    /// <summary>Hands out parts whose inputs are published; none when there are none now.</summary>
    /// <param name="worker">Who asks: a silo's address.</param>
    /// <param name="request">How much it has room for.</param>
    [Alias("Lease")]
    Task<ImmutableArray<PartLease>> LeaseAsync(string worker, LeaseRequest request);

    /// <summary>Prolongs leases, about once a second. False at an index: that lease is lost, stop.</summary>
    [Alias("Renew")]
    Task<ImmutableArray<bool>> RenewAsync(string worker, ImmutableArray<PartProgress> held);

    /// <summary>The part's manifest is in the store. Idempotent; a stale attempt is ignored, for the store already decided.</summary>
    /// <param name="own">
    /// Those of the published rows that this attempt computed: they show that its host works. Null from a worker that is too old to say;
    /// then all of them count.
    /// </param>
    [Alias("Complete")]
    Task CompleteAsync(
        PartAttempt attempt, RowSet published, CaptureSelection kept, ImmutableArray<SampleFailure> failures, RowSet? own = null);

    /// <summary>
    /// The worker gives the part back. What a fault of its host costs, it costs that host: the next one that asks gets the rows
    /// (docs/design/blame.md).
    /// </summary>
    [Alias("GiveBack")]
    Task GiveBackAsync(PartAttempt attempt, Fault? fault);

    /// <summary>Rows that are published with at least <paramref name="need"/> kept.</summary>
    [ForClients, AlwaysInterleave, Alias("Published")]
    ValueTask<RowSet> GetPublishedAsync(CaptureSelection need);

    /// <summary>
    /// Another stage reads rows of this one: from now on it is told which there are, whenever that changes. It asks again every few seconds
    /// as long as it wants to be told. Idempotent.
    /// </summary>
    /// <param name="reader">The key of the other stage.</param>
    /// <returns>The rows that there are now.</returns>
    [AlwaysInterleave, Alias("Follow")]
    ValueTask<InputReport> FollowAsync(string reader, CaptureSelection need);

    /// <summary>
    /// A stage that this one reads says which rows there are. Idempotent; what is older than what was heard is left aside.
    /// </summary>
    [AlwaysInterleave, Alias("Inputs")]
    Task InputsChangedAsync(InputReport report);

    /// <summary>Somebody could not read published rows: the store is asked again what it has of them. Idempotent.</summary>
    [Alias("LookAgain")]
    Task LookAgainAsync(RowRange rows);

    /// <summary>Clears the state when nobody wants rows of the stage: what it has published stays in the store. Idempotent.</summary>
    /// <returns>False when a part is still out, so that it must be asked again.</returns>
    [Alias("Forget")]
    Task<bool> ForgetAsync();

    /// <summary>The attempts that may still publish, and those whose checkpoints may be of use.</summary>
    [AlwaysInterleave, Alias("Attempts")]
    ValueTask<ImmutableArray<PartAttempt>> GetAttemptsAsync();

    [AlwaysInterleave, Alias("Status")]
    ValueTask<StageStatus> GetStatusAsync(string sweepId);

    /// <summary>Where the rows are that a sweep wants: done, out and with whom, given up. It costs a pass over leases and ranges.</summary>
    [ForClients, AlwaysInterleave, Alias("Parts")]
    ValueTask<StageParts> GetPartsAsync(StagePartsAsk ask);
}

/// <summary>Rows of a stage wanted by a sweep.</summary>
[GenerateSerializer, Immutable, Alias("taba.StageDemand")]
public sealed record StageDemand(string SweepId, StageSpec Spec, RowRange Rows, CaptureSelection Keep)
{
    /// <summary>Only these of <see cref="Rows"/>; null for all.</summary>
    [Id(10)] public RowSet? Only { get; init; }

    /// <summary>Samples that failed stay given up: the sweep is not submitted anew, it only makes sure that it was heard.</summary>
    [Id(11)] public bool KeepFailures { get; init; }

    /// <summary>The span that the stage's descends from; kept by the stage, its own. Null when nobody traces.</summary>
    [Id(12)] public string? TraceParent { get; init; }

    /// <summary>How many stages of the sweep come before this one: of two that have work the deeper is served first.</summary>
    [Id(13)] public int Depth { get; init; }

    /// <summary>The sweep's number of this submission.</summary>
    [Id(14)] public int Submission { get; init; }

    /// <summary>Parts whose leases ended without their workers' doing since the sweep asked; kept by the stage, its own.</summary>
    [Id(15)] public int PartsLost { get; init; }

    /// <summary>
    /// Wanted rows that were published without this submission's doing; kept by the stage, its own: what it would take them for later may
    /// have been made since. Null from a version that did not keep it.
    /// </summary>
    [Id(16)] public int? Reused { get; init; }

    /// <summary>The rows that are wanted.</summary>
    public RowSet Wanted => Only is { } only ? only.Intersect(Rows) : RowSet.Of(Rows);
}

/// <summary>A part handed to a worker.</summary>
/// <param name="Keep">What to keep besides the result.</param>
/// <param name="Supplement">The result is already published: only what is kept is wanted.</param>
[GenerateSerializer, Immutable, Alias("taba.PartLease")]
public sealed record PartLease(PartAttempt Attempt, StageSpec Spec, RowRange Rows, CaptureSelection Keep, bool Supplement)
{
    /// <summary>
    /// Attempts that had some of these rows before and did not finish them, the newest first: their checkpoints may be of use.
    /// </summary>
    [Id(13)] public ImmutableArray<EarlierAttempt> EarlierAttempts { get; init; } = [];

    /// <summary>The silo that has the lease: the part runs there and nowhere else. Null where there is only one silo.</summary>
    [Id(11)] public string? Worker { get; init; }

    /// <summary>The span of the stage, which the part's descends from; null when nobody traces.</summary>
    [Id(12)] public string? TraceParent { get; init; }

    /// <summary>These rows are suspect: the worker takes nothing beside them, so that its end would say something.</summary>
    [Id(20)] public bool Alone { get; init; }

    /// <summary>
    /// The build of the coordinator, and the numerics version with which the stage's key follows from the specification. Null from one that
    /// is too old to say; the key says it all the same.
    /// </summary>
    [Id(14)] public ProgramVersion? Version { get; init; }

    /// <summary>
    /// The rows are published: they are computed once more and compared, and nothing is written but what differs. One that is too old to
    /// know this publishes them in vain, and compares them too.
    /// </summary>
    [Id(15)] public bool Verify { get; init; }
}

/// <summary>An attempt that ended without publishing, and the rows that it had.</summary>
[GenerateSerializer, Immutable, Alias("taba.EarlierAttempt")]
public readonly record struct EarlierAttempt(PartAttempt Attempt, RowRange Rows);

/// <summary>A worker's question for parts.</summary>
/// <param name="Rows">Parts are handed out until they have this many rows together; at least one is, when there is one.</param>
/// <param name="PreferredRow">The worker has just finished this row of the stage's input: it has first claim on it.</param>
[GenerateSerializer, Immutable, Alias("taba.LeaseRequest")]
public readonly record struct LeaseRequest(int Rows, int? PreferredRow)
{
    /// <summary>
    /// Why the worker cannot serve the stage's model: then it gets nothing, and is named in the stage's status. Null when it can,
    /// as far as it knows.
    /// </summary>
    [Id(10)] public string? Refusal { get; init; }

    /// <summary>Only rows that this sweep wants; null for any.</summary>
    [Id(11)] public string? SweepId { get; init; }

    /// <summary>Rows that the worker holds, of whichever stage. Suspect rows go to a worker that holds none.</summary>
    [Id(20)] public int Held { get; init; }

    /// <summary>The name of the worker's host, which it keeps when it starts anew; null leaves it to the worker's address.</summary>
    [Id(21)] public string? Host { get; init; }
}

/// <summary>The progress of a leased part.</summary>
[GenerateSerializer, Immutable, Alias("taba.PartProgress")]
public readonly record struct PartProgress(PartAttempt Attempt, long Evaluations)
{
    /// <summary>Its rows: a stage that forgot the lease takes it for its own again.</summary>
    [Id(10)] public RowRange Rows { get; init; }
}
