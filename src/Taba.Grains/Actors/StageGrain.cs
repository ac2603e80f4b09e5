using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Dispatch;
using Taba.Grains.Faults;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Grains.Actors;

/// <summary>
/// Coordinates one stage. The rules are in <see cref="StageLeases"/>; here is what needs a clock, a store and neighbours.
/// What somebody wants is written before he is answered, and a block of epochs before the first of them is used. Completions, and leases
/// where there are many, are written behind, once a second at most: a lease that is lost is taken up again when its worker renews it, and
/// the store's manifests say what is done. Whoever needs to know of a change is told (<see cref="StageNews"/>).
/// </summary>
[CoordinatorPlacement]
sealed partial class StageGrain(
    [PersistentState("stage", GrainStorage.Name)] IPersistentState<StageState> state,
    IPartCatalogue catalogue,
    IWorkerLiveness liveness,
    ISiloDirectory silos,
    TimeProvider time,
    IOptions<LeaseOptions> options,
    IOptions<VerifyOptions> verify,
    ILogger<StageGrain> logger) : Grain, IStageGrain
{
    /// <summary>Epochs that are reserved with one write.</summary>
    const int EpochBlock = 1000;

    /// <summary>With so few leases the state is written before a part is handed out: it is known when worker and coordinator die.</summary>
    const int FewLeases = 64;

    readonly LeaseTable _leases = new(options.Value, time);
    StageFence _fence = null!;
    Recomputation _recomputed = null!;
    StateWriter _writer = null!;
    StageHosts _hosts = null!;
    StageNews _news = null!;
    InputRows _inputs = null!;
    StageView _view = null!;
    StageWatch _watch = null!;
    bool _advanced;
    // The members when the leases were looked at last.
    long _members;
    // The last epoch that was given; that of the state is the last of the block.
    int _epoch;
    // For whoever measures, on threads that are not the grain's.
    volatile StageState? _snapshot;

    string OwnKey => StageAddress.StageKey(this.GetPrimaryKeyString());

    StageState State
    {
        get => state.State;
        set
        {
            _snapshot = state.State = value;
            _leases.Done = value.Published(CaptureSelection.None);
            Changed();
        }
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Renewals are not written: a living worker may have renewed since. A dead worker's lease ends all the same. Nothing is read of the
        // store here: the state is believed, and before a part is handed out its cell is looked at.
        _fence = new(OwnKey);
        _leases.Add(State.Leases);
        _leases.Done = State.Published(CaptureSelection.None);
        _recomputed = new(OwnKey, verify.Value.OneIn, options.Value.Duration, time);
        _epoch = State.Epoch;
        _writer = new(this, WriteStateAsync, time, exception => StageLog.WriteFailed(logger, OwnKey, exception));
        _hosts = new(catalogue, silos, time, options.Value, (host, why) => StageLog.HostFailed(logger, host, OwnKey, why));
        _inputs = new(GrainFactory, OwnKey);
        _view = new(OwnKey, _leases, _inputs, _hosts, _fence, silos);
        _watch = new(this, options.Value.RenewEvery, time, () => !State.Demands.IsEmpty || _leases.Count > 0, Watch);
        _news = new(
            GrainFactory, OwnKey, Guid.NewGuid(), () => _view.Offer(State, _recomputed.IsWaiting), GetStatusAsync,
            need => State.Published(need), time);
        _inputs.Open(State.Spec);
        StageAccounts.Open(this, () => _snapshot is { Spec: { } spec } ? (spec, _leases.Count) : null);
        Begin();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _news.Stop();
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
        // Demands of sweeps that have ended are dropped: their process may have died before it withdrew them.
        var live = await GrainFactory.GetGrain<ISweepIndexGrain>(0).GetLiveAsync();
        var wishes = State.Demands.RemoveAll(d => d.SweepId != demand.SweepId && live.All(s => s.SweepId != d.SweepId));
        // A sweep that only makes sure that it was heard is the one that was traced.
        var known = demand.KeepFailures ? State.Demands.FirstOrDefault(d => d.SweepId == demand.SweepId) : null;
        using var span = known is null ? TraceLine.BeginStage(OwnKey, demand.Spec.Kind, demand.TraceParent) : null;
        var trace = known is null ? span?.Id ?? demand.TraceParent : known.TraceParent;
        var next = State with { Spec = demand.Spec, Demands = wishes.With(State.Wish(demand, trace)) };
        // A sweep that is submitted anew tries its failed samples again. The strikes of their neighbours' attempts stay.
        if (!demand.KeepFailures)
            next = next.WithRetried(demand.Wanted);
        if (State.Spec is not null && State.Demands.SequenceEqual(next.Demands) && State.Failed.SequenceEqual(next.Failed))
            return;
        _inputs.Open(demand.Spec);
        await WriteAsync(next);
        Begin();
    }

    public async Task WithdrawAsync(string sweepId)
    {
        var rest = State.Demands.RemoveAll(d => d.SweepId == sweepId);
        if (rest.Length < State.Demands.Length)
            await WriteAsync(State with { Demands = rest });
    }

    public async Task<ImmutableArray<PartLease>> LeaseAsync(string worker, LeaseRequest request)
    {
        var silo = silos.Find(worker);
        if ((request.Refusal ?? (State.Spec is { } stage ? _fence.Refusal(stage, silo) : null)) is { } reason)
        {
            _hosts.Refuses(HostName.Of(worker, request.Host), worker, reason);
            return [];
        }
        if (State.Spec is { } known && _recomputed.IsWaiting && liveness.IsAlive(worker)
            && _hosts.Admit(worker, request, _leases.HasAny) is not null
            && _recomputed.Take(worker, _fence.IsAlone(known, worker, await silos.GetAsync()), known, _epoch) is { } again)
            return [again with { Version = StageFence.VersionFor(silo) }];
        // A silo that was declared dead and does not know it still asks. A lease of it would end at once.
        if (!State.HasOpenDemand() || !liveness.IsAlive(worker))
            return [];
        var (spec, found) = (State.Spec!, State.Published);
        var (handout, next, leases, host) = await TakeAsync(worker, request);
        _leases.Add(leases, worker, host);
        next = next.WithReused(found, State.Lost);
        (var before, State) = (State, next);
        if (_epoch > State.Epoch)
            State = State with { Epoch = _epoch + EpochBlock };
        // The end of an attempt at suspect rows would say something: it must be known after a restart.
        if (State.Epoch != next.Epoch || handout.GivenUp.Count > 0 || leases.Any(l => l.Alone)
            || (_leases.Count <= FewLeases && !leases.IsEmpty))
            await _writer.NowAsync(Undo);
        else if (!leases.IsEmpty)
            await _writer.SoonAsync(Undo);
        StageAccounts.Leased(spec, leases.Length);
        foreach (var failure in handout.GivenUp)
        {
            StageLog.GivenUp(logger, failure.Sample, OwnKey, failure.Reason);
            StageAccounts.Failed(spec, failure.Kind);
        }
        StageLog.Leased(logger, leases, worker);
        return [.. leases.Select(l => l with { Version = StageFence.VersionFor(silo) })];

        // Nobody gets what may not be known after a restart. The epochs are spent.
        void Undo()
        {
            foreach (var lease in leases)
                Remove(lease.Attempt);
            State = before;
        }
    }

    /// <summary>Parts for a worker, as far as its host may have any.</summary>
    async Task<(StageHandout Handout, StageState Next, ImmutableArray<PartLease> Leases, string Host)> TakeAsync(
        string worker, LeaseRequest request)
    {
        if (liveness.Version != _members)
            ExpireLeases();
        for (var again = false; ; again = true)
        {
            var handout = new StageHandout(catalogue, _inputs, () => ++_epoch, options.Value);
            State = await _hosts.JudgeAsync(State);
            if (_hosts.Admit(worker, request, _leases.HasAny) is not { } admitted)
                return (handout, State, [], "");
            var asker = await _hosts.AskerAsync(worker, admitted, State);
            var (next, leases) = await handout.TakeAsync(OwnKey, State, _leases, asker, admitted);
            // The watch would find what has ended within a second. To look at all leases each time would cost more the more there are.
            if (!leases.IsEmpty || again || !ExpireLeases())
                return (handout, next, leases, asker.Host);
        }
    }

    public Task<ImmutableArray<bool>> RenewAsync(string worker, ImmutableArray<PartProgress> held)
    {
        if (!liveness.IsAlive(worker) || held.Any(part => _leases.HasEnded(part.Attempt)))
            ExpireLeases();
        return Task.FromResult<ImmutableArray<bool>>([.. held.Select(part => Renew(worker, part))]);
    }

    public async Task CompleteAsync(
        PartAttempt attempt, RowSet published, CaptureSelection kept, ImmutableArray<SampleFailure> failures, RowSet? own = null)
    {
        if (_recomputed.End(attempt))
            return;
        var (lease, news) = (_leases.Find(attempt), published.Subtract(State.Published(kept)));
        if (lease is null && news.IsEmpty)
            return;
        StageAccounts.Published(State.Spec, news.Count);
        // The store has decided: rows with a manifest are published, even when this attempt's lease is gone.
        var next = State.WithPublished(published, kept);
        if (lease is not null)
        {
            if (!(own ?? published).IsEmpty)
                next = _hosts.Published(next, lease);
            var known = next.QuarantinedRows();
            var given = failures.RemoveAll(f => known.Contains(new(f.Sample, f.Sample + 1)));
            next = next.WithFailed(given);
            StageAccounts.Ended(State.Spec, "published");
            foreach (var failure in given)
                StageAccounts.Failed(State.Spec!, failure.Kind);
            // Rows neither published nor failed: another attempt was quicker, and may have died before it told. Only the store knows.
            if (!RowSet.Of(lease.Rows).Subtract(next.Published(kept)).Subtract(next.QuarantinedRows()).IsEmpty)
                next = next.WithSeen(lease.Rows, await catalogue.GetPublishedAsync(OwnKey, lease.Rows, CancellationToken.None));
        }
        Remove(attempt);
        if (lease is not null && failures.IsEmpty && published.Contains(lease.Rows))
            _recomputed.Published(lease, State.Spec!);
        // Not taken back when the write fails: published rows are published, whether or not this state says it. For the same reason it
        // need not be written at once, unless a sample was given up: the store does not know that.
        State = next;
        await (lease is null || failures.IsEmpty ? _writer.SoonAsync() : _writer.NowAsync());
    }

    public async Task GiveBackAsync(PartAttempt attempt, Fault? fault)
    {
        if (_recomputed.End(attempt) || _leases.Find(attempt) is not { } lease)
            return;
        Remove(attempt);
        if (fault is { Refuses: true })
        {
            // Nothing was tried: no strike, and no checkpoint to look for there.
            _hosts.Refuses(lease.Host, lease.Worker, fault.Reason);
            StageAccounts.Ended(State.Spec, "refused");
            return;
        }
        StageAccounts.Ended(State.Spec, fault is null ? "given_back" : "fault");
        // An engine that failed may have failed of the rows. A disk did not.
        var ofRows = fault is { Owner: FaultOwner.Host or FaultOwner.Device, Rows.IsEmpty: false };
        State = State.WithLost(LostAttempts.Of(State, _epoch, lease, ofRows, fault?.Device));
        // The other stage computes them again, says so, and then this one goes on: nothing to wait for here.
        if (fault is { Owner: FaultOwner.Input })
            Follow();
        _hosts.GaveBack(lease, fault);
        // Else not written: a lost give-back costs at most the rest of a lease.
        if (ofRows)
            await _writer.SoonAsync();
    }

    public ValueTask<RowSet> GetPublishedAsync(CaptureSelection need) => new(State.Published(need));

    public ValueTask<InputReport> FollowAsync(string reader, CaptureSelection need) => new(_news.Follow(reader, need));

    public Task InputsChangedAsync(InputReport report)
    {
        if (_inputs.Take(report))
            Changed();
        return Task.CompletedTask;
    }

    public async Task LookAgainAsync(RowRange rows)
    {
        var before = State;
        foreach (var start in CellGrid.StartsOf(rows))
        {
            var cell = CellGrid.RowsOf(start);
            State = State.WithSeen(cell, await catalogue.GetPublishedAsync(OwnKey, cell, CancellationToken.None));
        }
        if (State.Published.SequenceEqual(before.Published))
            return;
        State = State.WithReused(before.Published, []);
        StageLog.LookedAgain(logger, OwnKey, rows);
        await _writer.SoonAsync();
    }

    public async Task<bool> ForgetAsync()
    {
        ExpireLeases();
        if (!State.Demands.IsEmpty || _leases.Count > 0)
            return !State.Demands.IsEmpty;
        await _writer.FlushAsync();
        if (state.RecordExists)
            await state.ClearStateAsync();
        DeactivateOnIdle();
        return true;
    }

    public ValueTask<ImmutableArray<PartAttempt>> GetAttemptsAsync() =>
        new([.. _leases.All.Select(l => l.Attempt), .. _recomputed.Attempts, .. State.Lost.Select(l => l.Attempt)]);

    public ValueTask<StageStatus> GetStatusAsync(string sweepId) => _view.StatusAsync(State, sweepId);

    public ValueTask<StageParts> GetPartsAsync(StagePartsAsk ask) => new(_view.Parts(State, ask));

    Task WriteAsync(StageState next)
    {
        (var before, State) = (State, next);
        // The outcome of a write that fails is unknown: the epoch is spent, the rest is as before.
        return _writer.NowAsync(() => State = before with { Epoch = next.Epoch });
    }

    /// <summary>Writes the state as it is now, with the leases as they are.</summary>
    Task WriteStateAsync()
    {
        state.State = State with { Leases = _leases.All };
        return state.WriteStateAsync();
    }

    bool Renew(string worker, PartProgress part)
    {
        // When no sweep wants the stage any more nobody waits for what it is worth.
        if (_recomputed.Renew(part.Attempt))
            return !State.Demands.IsEmpty;
        var lease = _leases.Find(part.Attempt);
        // An earlier activation gave it and had no time to write it: it goes on, unless its rows are in other hands or done.
        if (lease is null && part.Attempt.StageKey == OwnKey && liveness.IsAlive(worker) && State.MayAdopt(_leases.Rows, part))
        {
            lease = _leases.Add(part, worker, HostName.Of(worker, silos.Find(worker)?.Name));
            StageLog.Adopted(logger, part.Attempt, worker);
            Changed();
        }
        if (lease?.Worker != worker)
            return false;
        _hosts.GotOn(lease, _leases.Evaluations(part.Attempt), part.Evaluations);
        _advanced |= _leases.Renew(lease, part.Evaluations);
        return true;
    }

    void Remove(PartAttempt attempt)
    {
        if (_leases.Find(attempt) is not { } lease)
            return;
        _leases.Remove(lease);
        Changed();
    }

    /// <returns>Whether any had ended.</returns>
    bool ExpireLeases()
    {
        _members = liveness.Version;
        var ended = _leases.Lose(liveness.IsAlive);
        foreach (var (lease, how) in ended)
        {
            // A worker that is only out of reach, or stuck, did not die of its rows.
            State = State.WithLost(LostAttempts.Of(State, _epoch, lease, ofRows: how is LeaseEnd.WorkerLost)).WithPartLost(lease.Rows);
            StageAccounts.Ended(State.Spec, how is LeaseEnd.WorkerLost ? "silo_lost" : how is LeaseEnd.Stuck ? "stuck" : "expired");
            StageLog.Ended(logger, lease.Attempt, lease.Worker, how);
            Remove(lease.Attempt);
            // An activation that found it leased would lose it once more, and have its host wait once more.
            _writer.Later();
        }
        return ended.Count > 0;
    }

    void Begin()
    {
        _leases.WatchesProgress = State.Spec is not { EvaluationsPerRow: 0 };
        _watch.Keep();
        Follow();
        Changed();
    }

    void Watch(bool repeat)
    {
        ExpireLeases();
        // The end of a host's pause is news for the dispatcher, and nothing else tells of it.
        if (!_hosts.Pauses.IsEmpty)
            Changed();
        if (_advanced)
            _news.Advanced(State.Demands);
        _advanced = false;
        if (!repeat)
            return;
        Follow();
        _news.Repeat(State.Demands);
    }

    /// <summary>Asks the stages whose rows it reads.</summary>
    void Follow()
    {
        if (State.HasOpenDemand())
            _inputs.FollowSoon(Changed);
    }

    void Changed() => _news?.Changed(State.Demands);
}
