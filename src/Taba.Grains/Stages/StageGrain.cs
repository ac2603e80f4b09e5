using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Stages;

/// <summary>
/// Coordinates one stage. The rules are in <see cref="StageLeases"/>; here is what needs a clock, a store and neighbours.
/// State is written before a lease is handed out and after a completion; everything else may be lost, because the store's
/// manifests say what is done. A write that fails is taken back, so that the same call made again writes again.
/// </summary>
[CoordinatorPlacement]
sealed partial class StageGrain(
    [PersistentState("stage", GrainStorage.Name)] IPersistentState<StageState> state,
    IPartCatalogue catalogue,
    IWorkerLiveness liveness,
    TimeProvider time,
    IOptions<LeaseOptions> options,
    ILogger<StageGrain> logger) : Grain, IStageGrain
{
    readonly Dictionary<string, int> _reused = [];
    readonly Dictionary<Guid, long> _evaluations = [];
    RowSet _inputs = RowSet.Empty;
    string? _fault;

    string OwnKey => StageAddress.StageKey(this.GetPrimaryKeyString());

    StageState State
    {
        get => state.State;
        set => state.State = value;
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Renewals are not written: a living worker may have renewed since. A dead worker's lease ends all the same.
        var until = time.GetUtcNow() + options.Value.Duration;
        State = State with
        {
            Published = await catalogue.GetPublishedAsync(OwnKey, cancellationToken),
            Leases = [.. State.Leases.Select(l => l with { ExpiresAt = until })],
        };
    }

    public async Task DemandAsync(StageDemand demand)
    {
        _fault = null;
        var done = State.Published(demand.Keep).Intersect(demand.Wanted);
        _reused[demand.SweepId] = done.Count;
        // What sweeps wanted that have ended, perhaps in a process that died before it could withdraw it, is nobody's wish.
        var live = await GrainFactory.GetGrain<ISweepIndexGrain>(0).GetLiveAsync();
        var wishes = State.Demands.RemoveAll(d => d.SweepId != demand.SweepId && live.All(s => s.SweepId != d.SweepId));
        var next = State with { Spec = demand.Spec, Demands = wishes.With(demand) };
        // A sweep that is submitted anew tries its failed samples again.
        next = next with { Quarantined = next.Quarantined.RemoveAll(f => demand.Wanted.Contains(new(f.Sample, f.Sample + 1))) };
        if (State.Spec is not null && State.Demands.SequenceEqual(next.Demands) && State.Quarantined.Length == next.Quarantined.Length)
            return;
        await WriteAsync(next);
    }

    public async Task WithdrawAsync(string sweepId)
    {
        _reused.Remove(sweepId);
        var rest = State.Demands.RemoveAll(d => d.SweepId == sweepId);
        if (rest.Length == State.Demands.Length)
            return;
        await WriteAsync(State with { Demands = rest });
    }

    public async Task<PartLease?> LeaseAsync(string worker, int? preferredRow)
    {
        ExpireLeases();
        if (_fault is not null || !State.HasOpenDemand())
            return null;
        var spec = State.Spec!;
        var next = State.Next(_inputs, preferredRow);
        if (next is null || (preferredRow is { } row && !_inputs.Contains(new(row, row + 1))))
        {
            _inputs = await InputsAsync(spec);
            next = State.Next(_inputs, preferredRow);
        }
        if (next is not var (rows, keep, supplement))
            return null;

        var epoch = State.Epoch + 1;
        var attempt = new PartAttempt(OwnKey, rows.Start, epoch, Guid.NewGuid());
        var lease = new Lease(attempt, rows, worker, time.GetUtcNow() + options.Value.Duration);
        await WriteAsync(State with { Epoch = epoch, Leases = State.Leases.Add(lease) });
        LogLeased(logger, attempt, rows, worker);
        return new PartLease(attempt, spec, rows, keep, supplement);
    }

    public Task<ImmutableArray<bool>> RenewAsync(string worker, ImmutableArray<PartProgress> held)
    {
        ExpireLeases();
        var until = time.GetUtcNow() + options.Value.Duration;
        var answers = ImmutableArray.CreateBuilder<bool>(held.Length);
        foreach (var part in held)
        {
            var i = State.Leases.ToList().FindIndex(l => l.Attempt == part.Attempt && l.Worker == worker);
            answers.Add(i >= 0);
            if (i < 0)
                continue;
            State = State with { Leases = State.Leases.SetItem(i, State.Leases[i] with { ExpiresAt = until }) };
            _evaluations[part.Attempt.Id] = part.Evaluations;
        }
        return Task.FromResult(answers.ToImmutable());
    }

    public async Task CompleteAsync(PartAttempt attempt, RowSet published, CaptureSelection kept, ImmutableArray<SampleFailure> failures)
    {
        var lease = State.Leases.FirstOrDefault(l => l.Attempt == attempt);
        if (lease is null && published.Subtract(State.Published(kept)).IsEmpty)
            return;
        // The store has decided: rows with a manifest are published, even when this attempt's lease is gone.
        var next = State.WithPublished(published, kept) with { Leases = State.Leases.RemoveAll(l => l.Attempt == attempt) };
        if (lease is not null)
        {
            next = next with { Quarantined = next.Quarantined.AddRange(failures.Where(f => next.Quarantined.All(q => q.Sample != f.Sample))) };
            // Rows neither published nor failed: another attempt was quicker, and may have died before it told. Only the store knows.
            if (!RowSet.Of(lease.Rows).Subtract(next.Published(kept)).Subtract(next.QuarantinedRows()).IsEmpty)
                next = next with { Published = await catalogue.GetPublishedAsync(OwnKey, CancellationToken.None) };
        }
        _evaluations.Remove(attempt.Id);
        // Not taken back when the write fails: what is published is so whether or not this state says it.
        State = next;
        await state.WriteStateAsync();
    }

    public async Task GiveBackAsync(PartAttempt attempt, string? fault)
    {
        var rest = State.Leases.RemoveAll(l => l.Attempt == attempt);
        if (rest.Length == State.Leases.Length)
            return;
        _evaluations.Remove(attempt.Id);
        State = State with { Leases = rest };
        if (fault is not null)
        {
            _fault = fault;
            LogFault(logger, OwnKey, fault);
        }
        // Not written: a lost give-back costs at most the rest of a lease.
        await Task.CompletedTask;
    }

    public ValueTask<RowSet> GetPublishedAsync(CaptureSelection need) => new(State.Published(need));

    public ValueTask<StageStatus> GetStatusAsync(string sweepId)
    {
        var demand = State.Demands.FirstOrDefault(d => d.SweepId == sweepId);
        if (demand is null || State.Spec is not { } spec)
            return new(new StageStatus(OwnKey, default, 0, RowSet.Empty, 0, 0, 0, 0, 0, [], _fault));
        var wanted = demand.Wanted;
        var published = State.Published(demand.Keep).Intersect(wanted);
        var done = published.Count;
        var failures = State.Quarantined.RemoveAll(f => !wanted.Contains(new(f.Sample, f.Sample + 1)));
        var reused = Math.Min(done, _reused.GetValueOrDefault(sweepId));
        var running = State.Leases.Where(l => !wanted.Intersect(l.Rows).IsEmpty).ToList();
        var evaluations = (double)(done - reused) * spec.EvaluationsPerRow
            + running.Sum(l => (double)_evaluations.GetValueOrDefault(l.Attempt.Id) * wanted.Intersect(l.Rows).Count / l.Rows.Count);
        return new(new StageStatus(
            OwnKey, spec.Kind, wanted.Count, published, reused, failures.Length, running.Count,
            (double)(wanted.Count - reused) * spec.EvaluationsPerRow, evaluations, failures, _fault));
    }

    async Task WriteAsync(StageState next)
    {
        var before = State;
        State = next;
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            // The outcome is unknown: the epoch is spent, the rest is as before.
            State = before with { Epoch = next.Epoch };
            throw;
        }
    }

    void ExpireLeases()
    {
        var now = time.GetUtcNow();
        var expired = State.Leases.Where(l => l.ExpiresAt < now || !liveness.IsAlive(l.Worker)).ToList();
        if (expired.Count == 0)
            return;
        foreach (var lease in expired)
        {
            LogExpired(logger, lease.Attempt, lease.Worker);
            _evaluations.Remove(lease.Attempt.Id);
        }
        State = State with { Leases = State.Leases.RemoveRange(expired) };
    }

    /// <summary>Rows whose inputs are all there: results of other stages, and what a swap needs kept of them.</summary>
    async Task<RowSet> InputsAsync(StageSpec spec)
    {
        var inputs = RowSet.Of(new RowRange(0, int.MaxValue));
        if (spec.Input is StageRows input)
            inputs = inputs.Intersect(await Stage(input.Key).GetPublishedAsync(CaptureSelection.None));
        if (spec.Swap is { Source: StageRows source } swap)
            inputs = inputs.Intersect(await Stage(source.Key).GetPublishedAsync(CaptureSelection.ForSwap(swap.Kind, swap.Before, spec.NumInferenceSteps)));
        return inputs;
    }

    IStageGrain Stage(string key) => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

    [LoggerMessage(2001, LogLevel.Debug, "Leased {Attempt} rows {Rows} to {Worker}")]
    static partial void LogLeased(ILogger logger, PartAttempt attempt, RowRange rows, string worker);

    [LoggerMessage(2002, LogLevel.Warning, "The lease of {Attempt} to {Worker} expired")]
    static partial void LogExpired(ILogger logger, PartAttempt attempt, string worker);

    [LoggerMessage(2003, LogLevel.Error, "Stage {Stage} stops: {Fault}")]
    static partial void LogFault(ILogger logger, string stage, string fault);
}
