using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Errors;
using Taba.Grains.Placement;
using Taba.Grains.Planning;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;
using Taba.Grains.Words;

namespace Taba.Grains.Actors;

/// <summary>
/// Holds a plan, asks its stages for rows, and adds up what they say. The rules are in <see cref="SweepLife"/>: calls and looks become
/// events, <see cref="SweepIntent"/> writes what they mean and tells everyone. A sweep that ends withdraws its demands, so that the state
/// of a stage does not grow with the number of sweeps that ever wanted it.
/// </summary>
[CoordinatorPlacement]
sealed partial class SweepGrain : Grain, ISweepGrain
{
    static readonly TimeSpan s_tickEvery = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_watchAtMostEvery = TimeSpan.FromMilliseconds(200);
    /// <summary>A list that lost what it heard hears it again after this time.</summary>
    static readonly TimeSpan s_listEvery = TimeSpan.FromSeconds(60);

    static readonly TimeSpan s_answerAtLeastEvery = TimeSpan.FromSeconds(5);

    readonly TimeProvider _time;
    readonly ILogger<SweepGrain> _logger;
    readonly SweepJournal _journal;
    readonly SweepIntent _intent;
    readonly SweepLooks _looks;
    readonly SweepMetrics _metrics;
    readonly Teller _judge;
    readonly ProgressTeller _progress;
    IGrainTimer? _tick;
    long _listedAt;
    SweepLife _judgedAt;

    public SweepGrain(
        [PersistentState("sweep", GrainStorage.Name)] IPersistentState<SweepGrainState> state,
        [PersistentState("sweep-metrics", GrainStorage.Name)] IPersistentState<SweepMetricsState> metrics,
        IOptions<LeaseOptions> leases,
        TimeProvider time,
        ILogger<SweepGrain> logger)
    {
        (_time, _logger) = (time, logger);
        _journal = new(time);
        _intent = new(state, new(GrainFactory), _journal, () => _looks!.EndedAsync(), DeactivateOnIdle, time, logger);
        _looks = new(
            _intent, _journal, key => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(key)),
            waitsOutFaults: leases.Value.LongestPause is not null, time);
        _metrics = new(this, metrics, time, exception => LogMetricsUnwritten(_logger, Id, exception.Message));
        _judge = new(JudgeAsync, time);
        _progress = new(GrainFactory, time);
    }

    string Id => this.GetPrimaryKeyString();

    SweepPlan Plan => _intent.Written.Plan ?? throw new CallException(CallFault.Unknown, $"There is no sweep {Id}.");

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _intent.Activate();
        _listedAt = _time.GetTimestamp();
        KeepTicking();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _looks.Dispose();
        _judge.Stop();
        await _metrics.FlushAsync();
        await _intent.LeaveAsync(cancellationToken);
    }

    public Task<SweepStatus> SubmitAsync(SweepPlan plan) => SubmitAsync(plan, SweepLogKind.Submitted);

    async Task<SweepStatus> SubmitAsync(SweepPlan plan, SweepLogKind how)
    {
        PlanCheck.Require(plan, Id, await NumericsHereAsync(plan));
        using var span = TraceLine.Begin("sweep", TraceLine.Received);
        span?.SetTag("taba.sweep", plan.SweepId).SetTag("taba.sweep.name", plan.Name);
        LogSubmitted(_logger, plan.SweepId, plan.Name, plan.Stages.Length, plan.Priority);
        var (by, now) = (Requester.Received, _time.GetUtcNow());
        var isNew = !_intent.Life.IsLive;
        await ApplyAsync(SweepEvent.Submitted, with: sweep => sweep with
        {
            Plan = plan,
            Ended = null,
            Final = null,
            Log = sweep.Log.With(new SweepLogEntry(now, how, by)),
            Seen = [],
            SubmittedAt = isNew ? now : sweep.SubmittedAt ?? now,
            User = isNew && how is SweepLogKind.Submitted ? by : sweep.User ?? by,
            TraceParent = span?.Id ?? TraceLine.Received,
            Elsewhere = [.. sweep.Elsewhere.Union(sweep.Plan?.Stages.Select(s => s.Key) ?? []).Except(plan.Stages.Select(s => s.Key))],
        });
        _looks.Forget();
        await _intent.PaidAsync(orThrow: true);
        // A sweep that is not listed is woken by nobody if this silo dies: who submitted it must not leave yet.
        if (_intent.Life.Owes(SweepDebts.Listing) && _intent.Life.IsLive)
            throw new CallException(CallFault.Passing, $"The list of sweeps does not answer, and does not have sweep {Id} yet.");
        return await GetStatusAsync();
    }

    public Task StageChangedAsync(StageReport report)
    {
        if (_intent.Life.Phase is SweepPhase.Ended)
        {
            // It holds a demand all the same: its database lost that it was withdrawn.
            return report.Status.RowsWanted > 0 ? ApplyAsync(SweepEvent.Unlisted) : Task.CompletedTask;
        }
        // Also while it ends: then nobody asks any more.
        if (_intent.Life.IsLive && _looks.Take(report))
            _judge.Changed();
        return Task.CompletedTask;
    }

    // Those who wake it found it in the list of sweeps that live.
    public Task WakeAsync() => _intent.Life.Phase is SweepPhase.Ended ? ApplyAsync(SweepEvent.Unlisted) : Task.CompletedTask;

    public ValueTask<SweepStatus> GetStatusAsync() => StatusAsync(ask: true);

    async ValueTask<SweepStatus> StatusAsync(bool ask)
    {
        _ = Plan;
        if (!_intent.Life.IsLive)
            return _journal.Told(_intent.Written.Final!, _intent.Written);
        var (seen, status, isForgotten) = await _looks.LookAsync(ask);
        if (isForgotten)
            await ApplyAsync(SweepEvent.Forgotten, seen);
        if (!status.State.Ends())
            return status;
        var final = Ended(status);
        if (await ApplyAsync(SweepEvent.Finished, seen, sweep => With(sweep, final)))
            TellEnded(status);
        // Something else may be meant since the look began.
        if (_intent.Life.IsLive)
            return status with { State = _looks.Live };
        await _intent.PaidAsync(orThrow: false);
        return _intent.Written.Final is { } written ? _journal.Told(written, _intent.Written) : status;
    }

    /// <summary>A snapshot as the last one.</summary>
    SweepStatus Ended(SweepStatus status) => status with
    {
        EndedAt = _time.GetUtcNow(),
        Rate = null,
        Left = status.State is SweepState.Completed or SweepState.CompletedWithFailures ? TimeSpan.Zero : null,
        News = [],
    };

    /// <summary>A state that has ended.</summary>
    static SweepGrainState With(SweepGrainState sweep, SweepStatus final) => sweep with
    {
        Ended = final.State,
        Final = final,
        // Nothing comes behind the end, not even who cancelled it.
        Log = sweep.Log.With(new SweepLogEntry(sweep.Log.Select(e => e.At).Append(final.EndedAt!.Value).Max(), SweepLogKind.Ended)
        {
            State = final.State,
        }),
    };

    public async IAsyncEnumerable<SweepStatus> WatchAsync(
        long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var seen = sinceVersion;
        var answered = _time.GetTimestamp();
        var ask = true;
        while (!cancellationToken.IsCancellationRequested)
        {
            var changed = _looks.Changed;
            var status = await StatusAsync(ask);
            ask = false;
            if (status.Version != seen || _time.GetElapsedTime(answered) >= s_answerAtLeastEvery)
            {
                seen = status.Version;
                answered = _time.GetTimestamp();
                yield return status;
            }
            if (!status.State.IsLive())
                yield break;
            await Task.Delay(s_watchAtMostEvery, _time, cancellationToken);
            var rest = s_answerAtLeastEvery - _time.GetElapsedTime(answered);
            if (rest > TimeSpan.Zero)
                await changed.WaitAsync(rest, _time, cancellationToken).ConfigureAwait(
                    ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    public async Task CancelAsync()
    {
        if (_intent.Written.Plan is null)
        {
            // A database that lost the plan may list the sweep still, and nobody else would take it off.
            await GrainFactory.GetGrain<ISweepIndexGrain>(0).EndAsync(Id, SweepState.Cancelled);
            return;
        }
        var by = Requester.Received;
        var final = _intent.Life.IsLive
            ? Ended(_looks.Remember(await LastLookAsync() with { State = SweepState.Cancelled }))
            : null;
        // A sweep that has ended, perhaps meanwhile, keeps its end. It tells everyone once more, in case that a database lost it.
        await ApplyAsync(
            SweepEvent.Cancelled, with: sweep => sweep.Ended is null && final is not null
                ? With(Steered(sweep, SweepLogKind.Cancelled, by), final)
                : sweep);
        if (final is not null && ReferenceEquals(_intent.Written.Final, final))
            TellEnded(final);
        await _intent.PaidAsync(orThrow: false);
    }

    public async Task PauseAsync()
    {
        var by = Requester.Received;
        if (await ApplyAsync(SweepEvent.Paused, with: sweep => Steered(sweep, SweepLogKind.Paused, by)))
            LogPaused(_logger, Id);
        await _intent.PaidAsync(orThrow: false);
    }

    public async Task ResumeAsync()
    {
        var by = Requester.Received;
        if (await ApplyAsync(SweepEvent.Resumed, with: sweep => Steered(sweep, SweepLogKind.Resumed, by)))
            LogResumed(_logger, Id);
        await _intent.PaidAsync(orThrow: false);
    }

    // A stage that is asked again tries again what it had given up; nothing else differs from a submission.
    public async Task<SweepStatus> RetryAsync() => await SubmitAsync(Plan, SweepLogKind.Retried);

    public ValueTask<SweepPlan?> GetPlanAsync() => new(_intent.Written.Plan);

    public ValueTask<ImmutableArray<SweepLogEntry>> GetLogAsync()
    {
        _ = Plan;
        return new(_journal.Log(_intent.Written));
    }

    public Task MetricsAsync(RunNumbers metrics) => _metrics.TellAsync(Plan, metrics);

    public ValueTask<ImmutableArray<RunNumbers>> GetMetricsAsync() => new(_metrics.Of(Plan));

    public Task LookAgainAsync(string stageKey, RowRange rows) =>
        GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(stageKey)).LookAgainAsync(rows);

    public async Task<bool> ForgetAsync()
    {
        if (_intent.Written.Plan is null)
            return true;
        if (_intent.Life.IsLive)
            return false;
        await _intent.PaidAsync(orThrow: false);
        // The sweep last: who is left without its plan could not find its stages.
        if (!_intent.Life.IsOver || !await new SweepErrands(GrainFactory).ForgetAsync(_intent.Written))
            return false;
        await _metrics.ForgetAsync();
        if (!await _intent.ForgetAsync())
            return false;
        _looks.Forget();
        DeactivateOnIdle();
        return true;
    }

    SweepGrainState Steered(SweepGrainState sweep, SweepLogKind how, string? by) =>
        sweep with { Log = sweep.Log.With(new SweepLogEntry(_time.GetUtcNow(), how, by)) };

    async Task<bool> ApplyAsync(SweepEvent what, SweepLife? seen = null, Func<SweepGrainState, SweepGrainState>? with = null)
    {
        var meant = await _intent.ApplyAsync(what, seen, with);
        KeepTicking();
        _looks.Wake();
        return meant;
    }

    /// <summary>
    /// Keeps the grain active until the sweep has ended and everyone knows: a debt that could not be paid is tried again, and a stage that
    /// is silent is asked.
    /// </summary>
    void KeepTicking()
    {
        if (_intent.Life.IsLive || _intent.Life.Next is not SweepDebts.None)
            _tick ??= this.RegisterGrainTimer(
                _ => TickAsync(), new() { DueTime = s_tickEvery, Period = s_tickEvery, KeepAlive = true, Interleave = true });
    }

    Task TickAsync()
    {
        var life = _intent.Life;
        if (life.Next is not SweepDebts.None)
            _intent.PayAsync().Ignore();
        else if (!life.IsLive)
        {
            _tick?.Dispose();
            _tick = null;
        }
        if (!life.IsLive)
            return Task.CompletedTask;
        if (_time.GetElapsedTime(_listedAt) > s_listEvery)
        {
            _listedAt = _time.GetTimestamp();
            ApplyAsync(SweepEvent.Unlisted, life).Ignore();
        }
        _looks.Measure();
        if (_looks.Seen is { } status)
            _progress.Tick(status);
        // What stages said while it still owed them something was not judged, and those that are done say nothing new.
        if (_looks.MissesAny || life != _judgedAt)
            _judge.Changed();
        _judgedAt = life;
        return Task.CompletedTask;
    }

    /// <summary>Looks whether the sweep is at its end, or has to stop.</summary>
    async Task JudgeAsync()
    {
        if (!_intent.Life.IsLive)
            return;
        try
        {
            await StatusAsync(ask: false);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The database does not answer: it is tried again.
            LogTickFailed(_logger, Id, exception.Message);
            throw;
        }
    }

    /// <summary>How the sweep stands before it is cancelled; how it stood when it was seen last where a stage does not answer.</summary>
    async Task<SweepStatus> LastLookAsync()
    {
        try
        {
            return (await _looks.LookAsync(ask: true).WaitAsync(SweepIntent.AnswerWithin, _time)).Status;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogTickFailed(_logger, Id, exception.Message);
            return _looks.Last(Plan);
        }
    }

    /// <summary>The numerics versions of the silos, where a plan is of another than this one's.</summary>
    async Task<int[]> NumericsHereAsync(SweepPlan plan) => plan.Numerics == ProgramVersion.Own.Numerics
        ? []
        : [.. (await GrainFactory.GetGrain<ISilosGrain>(0).GetAsync()).Select(s => s.Version).OfType<ProgramVersion>().Select(
            v => v.Numerics)];

    void TellEnded(SweepStatus final)
    {
        _looks.Stop();
        LogEnded(_logger, Id, Plan.Name, final.State, final.Stages.Sum(s => s.RowsDone), final.Stages.Sum(s => s.RowsFailed));
    }

    [LoggerMessage(2101, LogLevel.Warning, "Sweep {Sweep} could not look at its stages: {Reason}")]
    static partial void LogTickFailed(ILogger logger, string sweep, string reason);

    [LoggerMessage(2107, LogLevel.Warning, "Sweep {Sweep} could not write the numbers of its run folders: {Reason}")]
    static partial void LogMetricsUnwritten(ILogger logger, string sweep, string reason);

    [LoggerMessage(2102, LogLevel.Information, "Sweep {Sweep} '{Name}' is submitted: {Stages} stages, priority {Priority}")]
    static partial void LogSubmitted(ILogger logger, string sweep, string name, int stages, int priority);

    [LoggerMessage(2103, LogLevel.Information, "Sweep {Sweep} '{Name}' ends as {State}: {Done} rows done, {Failed} given up")]
    static partial void LogEnded(ILogger logger, string sweep, string name, SweepState state, int done, int failed);

    [LoggerMessage(2104, LogLevel.Information, "Sweep {Sweep} is paused")]
    static partial void LogPaused(ILogger logger, string sweep);

    [LoggerMessage(2105, LogLevel.Information, "Sweep {Sweep} goes on")]
    static partial void LogResumed(ILogger logger, string sweep);
}
