using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Faults;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Grains.Actors;

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
    ISiloDirectory silos,
    TimeProvider time,
    IOptions<LeaseOptions> options,
    ILogger<StageGrain> logger) : Grain, IStageGrain
{
    readonly Dictionary<string, int> _reused = [];
    readonly Dictionary<Guid, long> _evaluations = [];
    readonly Dictionary<Guid, DateTimeOffset> _renewedUntil = [];
    Dictionary<Guid, Lease> _byId = [];
    ImmutableArray<Lease> _indexed = [];
    StateWriter _writer = null!;
    StageHosts _hosts = null!;
    RowSet _inputs = RowSet.Empty;
    // For whoever measures, on threads that are not the grain's.
    volatile StageState? _snapshot;

    string OwnKey => StageAddress.StageKey(this.GetPrimaryKeyString());

    StageState State
    {
        get => state.State;
        set => _snapshot = state.State = value;
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Renewals are not written: a living worker may have renewed since. A dead worker's lease ends all the same. Nothing is read of the
        // store here: the state is believed, and before a part is handed out its cell is looked at.
        var until = time.GetUtcNow() + options.Value.Duration;
        State = State with { Leases = [.. State.Leases.Select(l => l with { ExpiresAt = until })] };
        _writer = new(this, state.WriteStateAsync, time, exception => LogWriteFailed(logger, OwnKey, exception));
        _hosts = new(catalogue, silos, time, options.Value, (host, why) => LogHostFailed(logger, host, OwnKey, why));
        StageAccounts.Open(this, () => _snapshot is { Spec: { } spec } now ? (spec, now.Leases.Length) : null);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        StageAccounts.Close(this);
        await _writer.FlushAsync();
    }

    public async Task DemandAsync(StageDemand demand)
    {
        if (!demand.KeepFailures)
        {
            _hosts.TryAll();
            // A stage that was removed is computed anew. Single rows that the store has lost are found by whoever reads them.
            if (!State.Published.IsEmpty && !await catalogue.HasStageAsync(OwnKey, CancellationToken.None))
                State = State with { Published = [] };
        }
        StageAccounts.Demanded(demand.Spec);
        var done = State.Published(demand.Keep).Intersect(demand.Wanted);
        _reused[demand.SweepId] = done.Count;
        // Demands of sweeps that have ended are dropped: their process may have died before it withdrew them.
        var live = await GrainFactory.GetGrain<ISweepIndexGrain>(0).GetLiveAsync();
        var wishes = State.Demands.RemoveAll(d => d.SweepId != demand.SweepId && live.All(s => s.SweepId != d.SweepId));
        // A sweep that only makes sure that it was heard is the one that was traced.
        var known = demand.KeepFailures ? State.Demands.FirstOrDefault(d => d.SweepId == demand.SweepId) : null;
        using var span = known is null ? TraceLine.Begin("stage", demand.TraceParent) : null;
        span?.SetTag("taba.stage", OwnKey).SetTag("taba.stage.kind", demand.Spec.Kind.ToString().ToLowerInvariant());
        var trace = known is null ? span?.Id ?? demand.TraceParent : known.TraceParent;
        var next = State with { Spec = demand.Spec, Demands = wishes.With(demand with { KeepFailures = false, TraceParent = trace }) };
        // A sweep that is submitted anew tries its failed samples again. The strikes of their neighbours' attempts stay.
        if (!demand.KeepFailures)
            next = next.WithRetried(demand.Wanted);
        if (State.Spec is not null && State.Demands.SequenceEqual(next.Demands) && State.Failed.SequenceEqual(next.Failed))
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

    public async Task<ImmutableArray<PartLease>> LeaseAsync(string worker, LeaseRequest request)
    {
        if (request.Refusal is { } reason)
        {
            _hosts.Refuses(HostName.Of(worker, request.Host), worker, reason);
            return [];
        }
        ExpireLeases();
        // A silo that was declared dead and does not know it still asks. A lease of it would end at once.
        if (!State.HasOpenDemand() || !liveness.IsAlive(worker))
            return [];
        State = await _hosts.JudgeAsync(State);
        if (_hosts.Admit(worker, request, State.Leases) is not { } admitted)
            return [];
        var spec = State.Spec!;
        var found = State.Published;
        var handout = new StageHandout(GrainFactory, catalogue, options.Value, time);
        var asker = await _hosts.AskerAsync(worker, admitted, State);
        var (next, leases, inputs) = await handout.TakeAsync(OwnKey, State, _inputs, asker, admitted);
        _inputs = inputs;
        CountReused(found, next.Published);
        // One write for all of them, before any is handed out.
        if (!ReferenceEquals(next, State))
            await WriteAsync(next);
        StageAccounts.Leased(spec, leases.Length);
        foreach (var failure in handout.GivenUp)
            TellGivenUp(spec, failure);
        foreach (var lease in leases)
            LogLeased(logger, lease.Attempt, lease.Rows, worker);
        return leases;
    }

    public Task<ImmutableArray<bool>> RenewAsync(string worker, ImmutableArray<PartProgress> held)
    {
        var now = time.GetUtcNow();
        if (!liveness.IsAlive(worker) || held.Any(part => Find(part.Attempt) is { } lease && HasExpired(lease, now)))
            ExpireLeases();
        var answers = ImmutableArray.CreateBuilder<bool>(held.Length);
        foreach (var part in held)
        {
            var lease = Find(part.Attempt) is { } found && found.Worker == worker ? found : null;
            answers.Add(lease is not null);
            if (lease is null)
                continue;
            _renewedUntil[part.Attempt.Id] = now + options.Value.Duration;
            _hosts.GotOn(lease, _evaluations.GetValueOrDefault(part.Attempt.Id), part.Evaluations);
            _evaluations[part.Attempt.Id] = part.Evaluations;
        }
        return Task.FromResult(answers.ToImmutable());
    }

    public async Task CompleteAsync(PartAttempt attempt, RowSet published, CaptureSelection kept, ImmutableArray<SampleFailure> failures)
    {
        var lease = Find(attempt);
        if (lease is null && published.Subtract(State.Published(kept)).IsEmpty)
            return;
        if (State.Spec is { } spec)
            StageAccounts.Published(spec, published.Subtract(State.Published(kept)).Count);
        // The store has decided: rows with a manifest are published, even when this attempt's lease is gone.
        var next = State.WithPublished(published, kept) with { Leases = lease is null ? State.Leases : State.Leases.Remove(lease) };
        if (lease is not null)
        {
            if (!published.IsEmpty)
                next = _hosts.Published(next, lease);
            var known = next.QuarantinedRows();
            var given = failures.RemoveAll(f => known.Contains(new(f.Sample, f.Sample + 1)));
            next = next.WithFailed(given);
            Count("published");
            foreach (var failure in given)
                StageAccounts.Failed(State.Spec!, failure.Kind);
            // Rows neither published nor failed: another attempt was quicker, and may have died before it told. Only the store knows.
            if (!RowSet.Of(lease.Rows).Subtract(next.Published(kept)).Subtract(next.QuarantinedRows()).IsEmpty)
                next = next.WithSeen(lease.Rows, await catalogue.GetPublishedAsync(OwnKey, lease.Rows, CancellationToken.None));
        }
        Forget(attempt.Id);
        // Not taken back when the write fails: published rows are published, whether or not this state says it. For the same reason it
        // need not be written at once, unless a sample was given up: the store does not know that.
        State = next;
        if (lease is null || failures.IsEmpty)
            await _writer.SoonAsync();
        else
            await _writer.NowAsync();
    }

    public async Task GiveBackAsync(PartAttempt attempt, Fault? fault)
    {
        var lease = Find(attempt);
        if (lease is null)
            return;
        Forget(attempt.Id);
        if (fault is { Refuses: true })
        {
            // Nothing was tried: no strike, and no checkpoint to look for there.
            _hosts.Refuses(lease.Host, lease.Worker, fault.Reason);
            Count("refused");
            State = State with { Leases = State.Leases.Remove(lease) };
            return;
        }
        Count(fault is null ? "given_back" : "fault");
        // An engine that failed may have failed of the rows. A disk did not.
        var ofRows = fault is { Owner: FaultOwner.Host or FaultOwner.Device, Rows.IsEmpty: false };
        State = State.WithLost([(lease, LostAttempts.Of(State, lease, ofRows, fault?.Device))]);
        // The other stage computes them again, and then this one goes on: nothing to wait for here.
        if (fault is { Owner: FaultOwner.Input })
            _inputs = RowSet.Empty;
        _hosts.GaveBack(lease, fault);
        // Else not written: a lost give-back costs at most the rest of a lease.
        if (ofRows)
            await _writer.SoonAsync();
    }

    public ValueTask<RowSet> GetPublishedAsync(CaptureSelection need) => new(State.Published(need));

    public async Task LookAgainAsync(RowRange rows)
    {
        var before = State;
        foreach (var start in CellGrid.StartsOf(rows))
        {
            var cell = CellGrid.RowsOf(start);
            State = State.WithSeen(cell, await catalogue.GetPublishedAsync(OwnKey, cell, CancellationToken.None));
        }
        if (!State.Published.SequenceEqual(before.Published))
        {
            CountReused(before.Published, State.Published);
            LogLookedAgain(logger, OwnKey, rows);
            await _writer.SoonAsync();
        }
    }

    public ValueTask<ImmutableArray<PartAttempt>> GetAttemptsAsync() =>
        new([.. State.Leases.Select(l => l.Attempt), .. State.Lost.Select(l => l.Attempt)]);

    public async ValueTask<StageStatus> GetStatusAsync(string sweepId)
    {
        var demand = State.Demands.FirstOrDefault(d => d.SweepId == sweepId);
        if (demand is null || State.Spec is not { } spec)
            return new(OwnKey, default, 0, RowSet.Empty, 0, 0, 0, 0, 0, [], Fault: null);
        var wanted = demand.Wanted;
        var published = State.Published(demand.Keep).Intersect(wanted);
        var done = published.Count;
        var failed = State.Failed.Among(wanted);
        var reused = Math.Min(done, _reused.GetValueOrDefault(sweepId));
        var running = State.Leases.Where(l => !wanted.Intersect(l.Rows).IsEmpty).ToList();
        var evaluations = (double)(done - reused) * spec.EvaluationsPerRow
            + running.Sum(l => (double)_evaluations.GetValueOrDefault(l.Attempt.Id) * wanted.Intersect(l.Rows).Count / l.Rows.Count);
        return await _hosts.AddToAsync(
            new(
                OwnKey, spec.Kind, wanted.Count, published, reused, failed.Rows().Count, running.Count,
                (double)(wanted.Count - reused) * spec.EvaluationsPerRow, evaluations,
                State.Quarantined.About(failed).WithReasons([]), Fault: null)
            {
                Failed = failed,
                RowsLeased = running.Sum(l => wanted.Intersect(l.Rows).Count),
            },
            State);
    }

    async Task WriteAsync(StageState next)
    {
        var before = State;
        State = next;
        try
        {
            await _writer.NowAsync();
        }
        catch
        {
            // The outcome is unknown: the epoch is spent, the rest is as before.
            State = before with { Epoch = next.Epoch };
            throw;
        }
    }

    /// <summary>Called for every renewal of every part, once a second: not a search through all leases.</summary>
    Lease? Find(PartAttempt attempt)
    {
        if (_indexed != State.Leases)
        {
            _byId = State.Leases.ToDictionary(l => l.Attempt.Id);
            _indexed = State.Leases;
        }
        return _byId.GetValueOrDefault(attempt.Id) is { } lease && lease.Attempt == attempt ? lease : null;
    }

    bool HasExpired(Lease lease, DateTimeOffset now) => _renewedUntil.GetValueOrDefault(lease.Attempt.Id, lease.ExpiresAt) < now;

    void ExpireLeases()
    {
        var now = time.GetUtcNow();
        var alive = new Dictionary<string, bool>();
        var expired = State.Leases.Where(l => HasExpired(l, now) || !IsAlive(l.Worker)).ToList();
        if (expired.Count == 0)
            return;
        // A worker that is only out of reach did not die of its rows.
        State = State.WithLost(expired.Select(l => (l, LostAttempts.Of(State, l, ofRows: !IsAlive(l.Worker)))).ToList());
        foreach (var lease in expired)
        {
            Count(IsAlive(lease.Worker) ? "expired" : "silo_lost");
            LogExpired(logger, lease.Attempt, lease.Worker);
            Forget(lease.Attempt.Id);
        }

        bool IsAlive(string worker) => alive.TryGetValue(worker, out var known) ? known : alive[worker] = liveness.IsAlive(worker);
    }

    /// <summary>Rows that the store had all the time are nobody's work, and rows that it lost are work again.</summary>
    void CountReused(ImmutableArray<KeptRows> before, ImmutableArray<KeptRows> after)
    {
        if (before == after)
            return;
        foreach (var demand in State.Demands)
        {
            var (then, now) = (Of(before, demand), Of(after, demand));
            var more = now.Subtract(then).Count - then.Subtract(now).Count;
            _reused[demand.SweepId] = Math.Max(0, _reused.GetValueOrDefault(demand.SweepId) + more);
        }

        static RowSet Of(ImmutableArray<KeptRows> published, StageDemand demand) =>
            new StageState { Published = published }.Published(demand.Keep).Intersect(demand.Wanted);
    }

    /// <summary>Counts a lease that ended.</summary>
    void Count(string outcome)
    {
        if (State.Spec is { } spec)
            StageAccounts.Ended(spec, outcome);
    }

    void Forget(Guid attempt)
    {
        _evaluations.Remove(attempt);
        _renewedUntil.Remove(attempt);
    }

    void TellGivenUp(StageSpec spec, SampleFailure failure)
    {
        LogGivenUp(logger, failure.Sample, OwnKey, failure.Reason);
        StageAccounts.Failed(spec, failure.Kind);
    }

    [LoggerMessage(2001, LogLevel.Debug, "Leased {Attempt} rows {Rows} to {Worker}")]
    static partial void LogLeased(ILogger logger, PartAttempt attempt, RowRange rows, string worker);

    [LoggerMessage(2002, LogLevel.Warning, "The lease of {Attempt} to {Worker} expired")]
    static partial void LogExpired(ILogger logger, PartAttempt attempt, string worker);

    [LoggerMessage(2004, LogLevel.Error, "Sample {Sample} of stage {Stage} is given up: {Reason}")]
    static partial void LogGivenUp(ILogger logger, int sample, string stage, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "What stage {Stage} completed could not be written; it is read from the store when need be")]
    static partial void LogWriteFailed(ILogger logger, string stage, Exception exception);

    [LoggerMessage(2006, LogLevel.Warning, "Stage {Stage} looked again at rows {Rows}: the store no longer has what it had")]
    static partial void LogLookedAgain(ILogger logger, string stage, RowRange rows);

    [LoggerMessage(2003, LogLevel.Error, "Host {Host} failed at stage {Stage} and gets nothing of it for a while: {Fault}")]
    static partial void LogHostFailed(ILogger logger, string host, string stage, string fault);
}
