using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Placement;
using Taba.Grains.Planning;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Grains.Actors;

/// <summary>
/// Holds a plan, asks its stages for rows, and adds up what they say. A sweep that ends withdraws its demands, so that the state of
/// a stage does not grow with the number of sweeps that ever wanted it.
/// </summary>
[CoordinatorPlacement]
sealed partial class SweepGrain(
    [PersistentState("sweep", GrainStorage.Name)] IPersistentState<SweepGrainState> state,
    IWorkSignal signal,
    IOptions<LeaseOptions> leases,
    TimeProvider time,
    ILogger<SweepGrain> logger) : Grain, ISweepGrain
{
    static readonly TimeSpan s_tickEvery = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_watchEvery = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan s_answerAtLeastEvery = TimeSpan.FromSeconds(5);

    readonly WaitingWork _waiting = new(time);
    long _version;
    SweepStatus? _last;
    IGrainTimer? _tick;
    bool _told;
    // Status calls interleave with everything and may find that the sweep has ended: it must not end in the middle of a submission.
    bool _changing;
    Task _ending = Task.CompletedTask;
    PrecisionRetries? _retries;
    bool _submitting;

    bool IsLive => state.State is { Plan: not null, Ended: null };

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // The process that had this grain before may have died in the middle of telling the stages.
        if (IsLive)
            StartTicking();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _waiting.Dispose();
        return Task.CompletedTask;
    }

    public async Task<SweepStatus> SubmitAsync(SweepPlan plan)
    {
        PlanCheck.Require(plan, this.GetPrimaryKeyString());
        using var span = TraceLine.Begin("sweep", TraceLine.Received);
        span?.SetTag("taba.sweep", plan.SweepId).SetTag("taba.sweep.name", plan.Name);
        LogSubmitted(logger, plan.SweepId, plan.Name, plan.Stages.Length, plan.Priority);
        using (await BeginChangeAsync())
        {
            await WriteAsync(state.State with
            {
                Plan = plan,
                Ended = null,
                Final = null,
                Paused = false,
                TraceParent = span?.Id ?? TraceLine.Received,
            });
            await TellAsync(plan, keepFailures: false);
        }
        StartTicking();
        signal.WorkMayBeAvailable();
        return await GetStatusAsync();
    }

    public ValueTask<ImmutableArray<StageWork>> GetWorkAsync() =>
        new(state.State is { Plan: { } plan, Ended: null, Paused: false }
            ? [.. Retries(plan).Work, .. plan.Stages.Reverse().Select(s => StageWork.Of(s.Key, s.Spec))]
            : ImmutableArray<StageWork>.Empty);

    public async ValueTask<SweepStatus> GetStatusAsync()
    {
        if (state.State.Plan is not { } plan)
            throw new InvalidOperationException($"There is no sweep {this.GetPrimaryKeyString()}.");
        if (state.State.Final is { } final)
            return final;
        var status = await LookAsync(plan);
        if (status.State is SweepState.Completed or SweepState.CompletedWithFailures or SweepState.Stopped
            && state.State.Ended is null && !_changing && _ending.IsCompleted)
        {
            _ending = EndAsync(plan, status);
            await _ending;
        }
        return status;
    }

    public async IAsyncEnumerable<SweepStatus> WatchAsync(
        long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var seen = sinceVersion;
        var answered = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            var status = await GetStatusAsync();
            if (status.Version != seen || time.GetElapsedTime(answered) >= s_answerAtLeastEvery)
            {
                seen = status.Version;
                answered = time.GetTimestamp();
                yield return status;
            }
            if (!status.State.IsLive())
                yield break;
            await Task.Delay(s_watchEvery, time, cancellationToken);
        }
    }

    public async Task CancelAsync()
    {
        using (await BeginChangeAsync())
        {
            if (state.State is { Plan: { } plan, Ended: null })
                await EndAsync(plan, Remember(await LookAsync(plan) with { State = SweepState.Cancelled }));
            // The process that ended it may have died before it said so everywhere.
            else if (state.State is { Plan: { } ended, Final: { } final })
                await EndAsync(ended, final);
        }
    }

    public Task PauseAsync() => SetPausedAsync(true);

    public async Task ResumeAsync()
    {
        await SetPausedAsync(false);
        signal.WorkMayBeAvailable();
    }

    public async Task<SweepStatus> RetryAsync()
    {
        if (state.State.Plan is not { } plan)
            throw new InvalidOperationException($"There is no sweep {this.GetPrimaryKeyString()}.");
        // A stage that is asked again tries again what it had given up; nothing else differs from a submission.
        return await SubmitAsync(plan);
    }

    public ValueTask<SweepPlan?> GetPlanAsync() => new(state.State.Plan);

    public Task LookAgainAsync(string stageKey, RowRange rows) => Stage(stageKey).LookAgainAsync(rows);

    async Task SetPausedAsync(bool paused)
    {
        using (await BeginChangeAsync())
        {
            if (!IsLive)
                return;
            if (state.State.Paused != paused)
            {
                await WriteAsync(state.State with { Paused = paused });
                if (paused)
                    LogPaused(logger, this.GetPrimaryKeyString());
                else
                    LogResumed(logger, this.GetPrimaryKeyString());
            }
            await GrainFactory.GetGrain<ISweepIndexGrain>(0).SetPausedAsync(this.GetPrimaryKeyString(), paused);
        }
    }

    /// <summary>Looks at its stages while nobody else does, so that a sweep ends, and obeys its policy, without a client.</summary>
    void StartTicking() => _tick ??= this.RegisterGrainTimer(
        _ => TickAsync(), new() { DueTime = s_tickEvery, Period = s_tickEvery, KeepAlive = true, Interleave = true });

    async Task TickAsync()
    {
        if (!IsLive)
        {
            _tick?.Dispose();
            _tick = null;
            return;
        }
        try
        {
            if (!_told && !_changing)
            {
                using (await BeginChangeAsync())
                    await TellAsync(state.State.Plan!, keepFailures: true);
            }
            await GetStatusAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A stage or the database does not answer: the next tick asks again.
            LogTickFailed(logger, this.GetPrimaryKeyString(), exception.Message);
        }
    }

    /// <summary>Index first: a stage forgets the demands of sweeps that are not live.</summary>
    async Task TellAsync(SweepPlan plan, bool keepFailures)
    {
        _submitting = !keepFailures;
        try
        {
            // Failures that are tried again are no longer there to be tried in a higher precision.
            if (!keepFailures)
                _retries = null;
            await GrainFactory.GetGrain<ISweepIndexGrain>(0).AddAsync(
                new(plan.SweepId, plan.Name, plan.Priority, state.State.Paused, time.GetUtcNow(), Ended: null, EndedAt: null));
            foreach (var stage in plan.Stages)
                await Stage(stage.Key).DemandAsync(
                    new StageDemand(plan.SweepId, stage.Spec, stage.Rows, stage.Keep)
                    {
                        KeepFailures = keepFailures,
                        TraceParent = state.State.TraceParent,
                    });
        }
        finally
        {
            _submitting = false;
        }
        _told = true;
    }

    async Task<SweepStatus> LookAsync(SweepPlan plan)
    {
        var planned = await Task.WhenAll(plan.Stages.Select(s => Stage(s.Key).GetStatusAsync(plan.SweepId).AsTask()));
        _waiting.Update(plan, planned, IsLive && !state.State.Paused);
        // A sweep that is being submitted has not told all its stages yet: their failures are old ones.
        var (stages, substitutions) = _submitting ? (planned, []) : await Retries(plan).ApplyAsync(plan, planned);
        return Remember(new SweepStatus(
            plan.SweepId, _version, Judge(plan, stages), [.. stages], stages.FirstOrDefault(s => s.Fault is not null)?.Fault)
        {
            Substitutions = substitutions,
        });
    }

    /// <summary>Gives a snapshot that differs from the last one the next version: a time, so that it rises over restarts too.</summary>
    SweepStatus Remember(SweepStatus status)
    {
        if (_last is null || !Same(_last, status))
            _last = status with { Version = _version = Math.Max(_version + 1, time.GetUtcNow().ToUnixTimeMilliseconds()) };
        return _last;
    }

    async Task EndAsync(SweepPlan plan, SweepStatus final)
    {
        if (state.State.Ended is null)
            LogEnded(logger, plan.SweepId, plan.Name, final.State, final.Stages.Sum(s => s.RowsDone), final.Stages.Sum(s => s.RowsFailed));
        await WriteAsync(state.State with { Ended = final.State, Final = final });
        _waiting.Update(plan, [], runs: false);
        await GrainFactory.GetGrain<ISweepIndexGrain>(0).EndAsync(plan.SweepId, final.State);
        await Task.WhenAll(plan.Stages.Select(s => Stage(s.Key).WithdrawAsync(plan.SweepId)));
        await Retries(plan).WithdrawAsync();
    }

    /// <summary>Waits for an end that is being written, and holds back the next one until it is disposed.</summary>
    async Task<Change> BeginChangeAsync()
    {
        _changing = true;
        await _ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return new Change(this);
    }

    async Task WriteAsync(SweepGrainState next)
    {
        var before = state.State;
        state.State = next;
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            state.State = before;
            throw;
        }
    }

    /// <summary>A row that failed is missing in every stage that depends on it: the sweep ends when nothing else is missing.</summary>
    SweepState Judge(SweepPlan plan, StageStatus[] stages)
    {
        // The stages' answers are old: some are not asked yet.
        if (_changing)
            return SweepState.Running;
        var lost = new Dictionary<string, RowSet>();
        var open = false;
        var failed = false;
        for (var i = 0; i < stages.Length; i++)
        {
            var planned = plan.Stages[i];
            var missing = RowSet.Of([.. stages[i].Failures.Select(f => new RowRange(f.Sample, f.Sample + 1))]);
            if (planned.Spec.ParentKey is { } parent && lost.TryGetValue(parent, out var inherited))
                missing = missing.Union(inherited);
            missing = missing.Intersect(planned.Rows).Subtract(stages[i].Done);
            lost[planned.Key] = missing;
            failed |= !missing.IsEmpty;
            open |= !stages[i].Done.Union(missing).Contains(planned.Rows);
        }
        if (open && plan.OnError.StopAfter is { } limit && stages.Sum(s => s.Failures.Length) >= limit)
            return SweepState.Stopped;
        if (open && state.State.Paused)
            return SweepState.Paused;
        // Where a fault is waited out, the stage tries again by itself.
        if (open && leases.Value.RetryFaultAfter is null && stages.Any(s => s.Fault is not null) && stages.All(s => s.PartsLeased == 0))
            return SweepState.Faulted;
        return open ? SweepState.Running : failed ? SweepState.CompletedWithFailures : SweepState.Completed;
    }

    static bool Same(SweepStatus a, SweepStatus b) =>
        a.State == b.State && a.Fault == b.Fault && a.Stages.Zip(b.Stages).All(p =>
            p.First.RowsDone == p.Second.RowsDone && p.First.EvaluationsDone == p.Second.EvaluationsDone
            && p.First.PartsLeased == p.Second.PartsLeased && p.First.RowsFailed == p.Second.RowsFailed
            && p.First.Refusals.SequenceEqual(p.Second.Refusals));

    PrecisionRetries Retries(SweepPlan plan) => _retries ??= new(plan.SweepId, Stage, state.State.TraceParent);

    IStageGrain Stage(string key) => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

    [LoggerMessage(2101, LogLevel.Warning, "Sweep {Sweep} could not look at its stages: {Reason}")]
    static partial void LogTickFailed(ILogger logger, string sweep, string reason);

    [LoggerMessage(2102, LogLevel.Information, "Sweep {Sweep} '{Name}' is submitted: {Stages} stages, priority {Priority}")]
    static partial void LogSubmitted(ILogger logger, string sweep, string name, int stages, int priority);

    [LoggerMessage(2103, LogLevel.Information, "Sweep {Sweep} '{Name}' ends as {State}: {Done} rows done, {Failed} given up")]
    static partial void LogEnded(ILogger logger, string sweep, string name, SweepState state, int done, int failed);

    [LoggerMessage(2104, LogLevel.Information, "Sweep {Sweep} is paused")]
    static partial void LogPaused(ILogger logger, string sweep);

    [LoggerMessage(2105, LogLevel.Information, "Sweep {Sweep} goes on")]
    static partial void LogResumed(ILogger logger, string sweep);

    readonly struct Change(SweepGrain grain) : IDisposable
    {
        public void Dispose() => grain._changing = false;
    }
}
