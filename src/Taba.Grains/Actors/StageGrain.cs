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

    /// <summary>
    /// With so few leases the state is small, and is written before a part is handed out: a part whose worker dies at once, and the
    /// coordinator with it, is known. With more it is written behind.
    /// </summary>
    const int FewLeases = 64;

    /// <summary>Everybody hears everything again after this time: a message may be lost, and who heard it may have died.</summary>
    static readonly TimeSpan s_repeatEvery = TimeSpan.FromSeconds(10);

    readonly Dictionary<string, int> _reused = [];
    readonly LeaseTable _leases = new(options.Value, time);
    StageFence _fence = null!;
    Recomputation _recomputed = null!;
    StateWriter _writer = null!;
    StageHosts _hosts = null!;
    StageNews _news = null!;
    InputRows _inputs = null!;
    Task _following = Task.CompletedTask;
    IGrainTimer? _watch;
    long _repeatedAt;
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
            Changed();
        }
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Renewals are not written: a living worker may have renewed since. A dead worker's lease ends all the same. Nothing is read of the
        // store here: the state is believed, and before a part is handed out its cell is looked at.
        _fence = new(OwnKey);
        _recomputed = new(OwnKey, verify.Value.OneIn, options.Value.Duration, time);
        foreach (var lease in State.Leases)
            _leases.Add(lease);
        _epoch = State.Epoch;
        _writer = new(this, WriteStateAsync, time, exception => LogWriteFailed(logger, OwnKey, exception));
        _hosts = new(catalogue, silos, time, options.Value, (host, why) => LogHostFailed(logger, host, OwnKey, why));
        _inputs = new(GrainFactory, OwnKey);
        _news = new(
            GrainFactory, OwnKey, Guid.NewGuid(), Offer, async sweep => await GetStatusAsync(sweep), need => State.Published(need), time);
        if (State.Spec is { } spec)
            _inputs.Open(spec);
        StageAccounts.Open(this, () => _snapshot is { Spec: { } spec } ? (spec, _leases.Count) : null);
        KeepWatch();
        Changed();
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
        _inputs.Open(demand.Spec);
        await WriteAsync(next);
        KeepWatch();
        Follow();
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
        var silo = silos.Find(worker);
        if (State.Spec is { } stage && _fence.Refusal(stage, silo) is { } otherVersion)
        {
            _hosts.Refuses(HostName.Of(worker, request.Host), worker, otherVersion);
            return [];
        }
        if (_recomputed.IsWaiting && State.Spec is { } known && liveness.IsAlive(worker)
            && _hosts.Admit(worker, request, _leases.HasAny) is not null
            && _recomputed.Take(worker, _fence.IsAlone(known, worker, await silos.GetAsync()), known, _epoch) is { } again)
            return [again with { Version = StageFence.VersionFor(silo) }];
        // A silo that was declared dead and does not know it still asks. A lease of it would end at once.
        if (!State.HasOpenDemand() || !liveness.IsAlive(worker))
            return [];
        var spec = State.Spec!;
        var found = State.Published;
        var (handout, next, leases, host) = await TakeAsync(worker, request);
        foreach (var lease in leases)
            _leases.Add(new(lease.Attempt, lease.Rows, worker, time.GetUtcNow() + options.Value.Duration)
            {
                Alone = lease.Alone,
                Host = host,
            });
        CountReused(found, next.Published);
        var before = State;
        State = next;
        try
        {
            if (_epoch > State.Epoch)
                State = State with { Epoch = _epoch + EpochBlock };
            // The end of an attempt at suspect rows would say something: it must be known after a restart.
            if (State.Epoch != next.Epoch || handout.GivenUp.Count > 0 || leases.Any(l => l.Alone)
                || (_leases.Count <= FewLeases && !leases.IsEmpty))
                await _writer.NowAsync();
            else if (!leases.IsEmpty)
                await _writer.SoonAsync();
        }
        catch
        {
            // Nobody gets what may not be known after a restart. The epochs are spent.
            foreach (var lease in leases)
                Remove(lease.Attempt);
            State = before;
            throw;
        }
        StageAccounts.Leased(spec, leases.Length);
        foreach (var failure in handout.GivenUp)
            TellGivenUp(spec, failure);
        foreach (var lease in leases)
            LogLeased(logger, lease.Attempt, lease.Rows, worker);
        return [.. leases.Select(l => l with { Version = StageFence.VersionFor(silo) })];
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
            var (next, leases) = await handout.TakeAsync(OwnKey, State, _leases.Rows, asker, admitted);
            // The watch would find what has ended within a second. To look at all leases each time would cost more the more there are.
            if (!leases.IsEmpty || again || !ExpireLeases())
                return (handout, next, leases, asker.Host);
        }
    }

    public Task<ImmutableArray<bool>> RenewAsync(string worker, ImmutableArray<PartProgress> held)
    {
        if (!liveness.IsAlive(worker) || held.Any(part => _leases.HasEnded(part.Attempt)))
            ExpireLeases();
        var answers = ImmutableArray.CreateBuilder<bool>(held.Length);
        foreach (var part in held)
        {
            if (_recomputed.Renew(part.Attempt))
            {
                // When no sweep wants the stage any more nobody waits for what it is worth.
                answers.Add(!State.Demands.IsEmpty);
                continue;
            }
            var lease = _leases.Find(part.Attempt) ?? Adopt(worker, part);
            var ours = lease?.Worker == worker;
            answers.Add(ours);
            if (!ours)
                continue;
            _hosts.GotOn(lease!, _leases.Evaluations(part.Attempt), part.Evaluations);
            _advanced |= _leases.Renew(lease!, part.Evaluations);
        }
        return Task.FromResult(answers.ToImmutable());
    }

    public async Task CompleteAsync(PartAttempt attempt, RowSet published, CaptureSelection kept, ImmutableArray<SampleFailure> failures)
    {
        if (_recomputed.End(attempt))
            return;
        var lease = _leases.Find(attempt);
        if (lease is null && published.Subtract(State.Published(kept)).IsEmpty)
            return;
        if (State.Spec is { } spec)
            StageAccounts.Published(spec, published.Subtract(State.Published(kept)).Count);
        // The store has decided: rows with a manifest are published, even when this attempt's lease is gone.
        var next = State.WithPublished(published, kept);
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
        Remove(attempt);
        if (lease is not null && failures.IsEmpty && published.Contains(lease.Rows))
            _recomputed.Published(lease, State.Spec!);
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
        var lease = _leases.Find(attempt);
        if (_recomputed.End(attempt) || lease is null)
            return;
        Remove(attempt);
        if (fault is { Refuses: true })
        {
            // Nothing was tried: no strike, and no checkpoint to look for there.
            _hosts.Refuses(lease.Host, lease.Worker, fault.Reason);
            Count("refused");
            return;
        }
        Count(fault is null ? "given_back" : "fault");
        // An engine that failed may have failed of the rows. A disk did not.
        var ofRows = fault is { Owner: FaultOwner.Host or FaultOwner.Device, Rows.IsEmpty: false };
        State = State.WithLost(LostAttempts.Of(State, _epoch, lease, ofRows, fault?.Device));
        // The other stage computes them again, says so, and then this one goes on: nothing to wait for here.
        if (fault is { Owner: FaultOwner.Input })
            Follow();
        _hosts.GaveBack(lease, fault);
        Changed();
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
        if (!State.Published.SequenceEqual(before.Published))
        {
            CountReused(before.Published, State.Published);
            LogLookedAgain(logger, OwnKey, rows);
            await _writer.SoonAsync();
        }
    }

    public async Task<bool> ForgetAsync()
    {
        ExpireLeases();
        if (!State.Demands.IsEmpty)
            return true;
        if (_leases.Count > 0)
            return false;
        await _writer.FlushAsync();
        if (state.RecordExists)
            await state.ClearStateAsync();
        DeactivateOnIdle();
        return true;
    }

    public ValueTask<ImmutableArray<PartAttempt>> GetAttemptsAsync() =>
        new([.. _leases.All.Select(l => l.Attempt), .. _recomputed.Attempts, .. State.Lost.Select(l => l.Attempt)]);

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
        var running = _leases.All.Where(l => !wanted.Intersect(l.Rows).IsEmpty).ToList();
        var evaluations = (double)(done - reused) * spec.EvaluationsPerRow
            + running.Sum(l => (double)_leases.Evaluations(l.Attempt) * wanted.Intersect(l.Rows).Count / l.Rows.Count);
        var status = await _hosts.AddToAsync(
            new(
                OwnKey, spec.Kind, wanted.Count, published, reused, failed.Rows().Count, running.Count,
                (double)(wanted.Count - reused) * spec.EvaluationsPerRow, evaluations,
                State.Quarantined.About(failed).WithReasons([]), Fault: null)
            {
                Failed = failed,
                RowsLeased = running.Sum(l => wanted.Intersect(l.Rows).Count),
            },
            State);
        return status is { Fault: not null, Refusals.IsEmpty: false } && _fence.RefusesAll(spec, await silos.GetAsync())
            ? status with { Fault = StageFence.PlanAgain }
            : status;
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

    /// <summary>Writes the state as it is now, with the leases as they are.</summary>
    Task WriteStateAsync()
    {
        state.State = State with { Leases = _leases.All };
        return state.WriteStateAsync();
    }

    /// <summary>
    /// A worker renews a lease that an earlier activation gave and had no time to write: it goes on, unless its rows are in other hands or
    /// done.
    /// </summary>
    Lease? Adopt(string worker, PartProgress part)
    {
        var attempt = part.Attempt;
        if (part.Rows.IsEmpty || attempt.StageKey != OwnKey || attempt.Epoch > State.Epoch || !liveness.IsAlive(worker)
            || State.Lost.Any(l => l.Attempt == attempt) || !_leases.Rows.Intersect(part.Rows).IsEmpty
            || !State.Demands.Any(d => !State.Open(d).Intersect(part.Rows).IsEmpty))
            return null;
        var lease = new Lease(attempt, part.Rows, worker, time.GetUtcNow() + options.Value.Duration);
        _leases.Add(lease);
        LogAdopted(logger, attempt, worker);
        Changed();
        return lease;
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
        var ended = _leases.Ended(liveness.IsAlive);
        foreach (var (lease, how) in ended)
        {
            // A worker that is only out of reach, or stuck, did not die of its rows.
            State = State.WithLost(LostAttempts.Of(State, _epoch, lease, ofRows: how is LeaseEnd.WorkerLost));
            Count(how is LeaseEnd.WorkerLost ? "silo_lost" : how is LeaseEnd.Stuck ? "stuck" : "expired");
            LogEnded(logger, lease.Attempt, lease.Worker, how);
            Remove(lease.Attempt);
        }
        return ended.Count > 0;
    }

    /// <summary>While anybody wants rows, or has them, the stage looks after its leases and says what it has.</summary>
    void KeepWatch()
    {
        if (_watch is not null || (State.Demands.IsEmpty && _leases.Count == 0))
            return;
        _repeatedAt = time.GetTimestamp();
        Follow();
        var every = options.Value.RenewEvery;
        _watch = this.RegisterGrainTimer(
            _ =>
            {
                Watch();
                return Task.CompletedTask;
            },
            new() { DueTime = every, Period = every, KeepAlive = true });
    }

    void Watch()
    {
        ExpireLeases();
        if (_advanced)
            _news.Advanced(State.Demands);
        _advanced = false;
        if (State.Demands.IsEmpty && _leases.Count == 0)
        {
            _watch?.Dispose();
            _watch = null;
        }
        else if (time.GetElapsedTime(_repeatedAt) >= s_repeatEvery)
        {
            _repeatedAt = time.GetTimestamp();
            Follow();
            _news.Repeat(State.Demands);
        }
    }

    /// <summary>Asks the stages whose rows it reads, beside the grain's calls: they may not answer.</summary>
    void Follow()
    {
        if (_following.IsCompleted && State.HasOpenDemand())
        {
            _following = FollowOnceAsync();
            _following.Ignore();
        }

        async Task FollowOnceAsync()
        {
            await Task.Yield();
            if (await _inputs.FollowAsync())
                Changed();
        }
    }

    /// <summary>What there is to do now.</summary>
    StageOffer? Offer()
    {
        if (State.Spec is not { } spec)
            return null;
        var taken = _leases.Rows;
        var rows = ImmutableArray.CreateBuilder<OfferedRows>();
        // A part that is to be computed once more waits for whoever asks: as much as one row is enough to be asked.
        var again = _recomputed.IsWaiting ? 1 : 0;
        foreach (var demand in State.Demands)
        {
            var open = State.Open(demand);
            if (!open.IsEmpty || again > 0)
                rows.Add(new(demand.SweepId, demand.Depth, open.Subtract(taken).Intersect(_inputs.Ready).Count + again));
        }
        return new(StageWork.Of(OwnKey, spec), default, [.. _inputs.Stages], rows.ToImmutable())
        {
            Pauses = [.. _hosts.Pauses.Where(p => p.Remaining > TimeSpan.Zero).Select(p => new WorkerPause(p.Worker, p.Remaining))],
        };
    }

    void Changed() => _news?.Changed(State.Demands);

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


    void TellGivenUp(StageSpec spec, SampleFailure failure)
    {
        LogGivenUp(logger, failure.Sample, OwnKey, failure.Reason);
        StageAccounts.Failed(spec, failure.Kind);
    }

    [LoggerMessage(2001, LogLevel.Debug, "Leased {Attempt} rows {Rows} to {Worker}")]
    static partial void LogLeased(ILogger logger, PartAttempt attempt, RowRange rows, string worker);

    [LoggerMessage(2002, LogLevel.Warning, "The lease of {Attempt} to {Worker} ended: {How}")]
    static partial void LogEnded(ILogger logger, PartAttempt attempt, string worker, LeaseEnd how);

    [LoggerMessage(2007, LogLevel.Information, "{Attempt} is taken up again: {Worker} works on it")]
    static partial void LogAdopted(ILogger logger, PartAttempt attempt, string worker);

    [LoggerMessage(2004, LogLevel.Error, "Sample {Sample} of stage {Stage} is given up: {Reason}")]
    static partial void LogGivenUp(ILogger logger, int sample, string stage, string reason);

    [LoggerMessage(2005, LogLevel.Warning, "What stage {Stage} completed could not be written; it is read from the store when need be")]
    static partial void LogWriteFailed(ILogger logger, string stage, Exception exception);

    [LoggerMessage(2006, LogLevel.Warning, "Stage {Stage} looked again at rows {Rows}: the store no longer has what it had")]
    static partial void LogLookedAgain(ILogger logger, string stage, RowRange rows);

    [LoggerMessage(2003, LogLevel.Error, "Host {Host} failed at stage {Stage} and gets nothing of it for a while: {Fault}")]
    static partial void LogHostFailed(ILogger logger, string host, string stage, string fault);
}
