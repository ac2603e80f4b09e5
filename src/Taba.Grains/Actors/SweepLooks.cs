using System.Collections.Immutable;
using Taba.Grains.Errors;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Grains.Actors;

/// <summary>
/// What a sweep's stages say of themselves, added up. They tell it when something changes; who wants to know it exactly has those asked
/// that are not done. One look at a time, shared by all who want one: a look may find stages that must stand in for others, and has their
/// rows demanded. In one grain's turns only.
/// </summary>
sealed class SweepLooks : IDisposable
{
    /// <summary>A stage answers in milliseconds, or something is wrong with it: nobody waits longer to hear of the others.</summary>
    static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(5);

    /// <summary>A stage that has work says something every ten seconds.</summary>
    static readonly TimeSpan s_heardWithin = TimeSpan.FromSeconds(30);

    readonly SweepIntent _intent;
    readonly SweepJournal _journal;
    readonly Func<string, IStageGrain> _stageOf;
    readonly bool _waitsOutFaults;
    readonly TimeProvider _time;
    readonly SharedWork<SweepLook> _looks;
    readonly WaitingWork _waiting;
    readonly Dictionary<string, Heard> _heard = [];
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    PrecisionRetries? _retries;
    SweepStatus? _last;
    long _version;
    bool _askNext;

    public SweepLooks(
        SweepIntent intent, SweepJournal journal, Func<string, IStageGrain> stageOf, bool waitsOutFaults, TimeProvider time)
    {
        (_intent, _journal, _stageOf, _waitsOutFaults, _time) = (intent, journal, stageOf, waitsOutFaults, time);
        _looks = new(LookOnceAsync);
        _waiting = new(time);
    }

    /// <summary>Completes when a stage says something new, or <see cref="Wake"/> is called.</summary>
    public Task Changed => _changed.Task;

    /// <summary>A look that begins now or later.</summary>
    /// <param name="ask">Whether stages that are not done are asked, however short ago they spoke.</param>
    public Task<SweepLook> LookAsync(bool ask)
    {
        _askNext |= ask;
        return _looks.RunAsync();
    }

    /// <summary>Takes what a stage says.</summary>
    /// <returns>Whether the sweep's state may be another now.</returns>
    public bool Take(StageReport report)
    {
        var before = _heard.GetValueOrDefault(report.Status.Key);
        // What was on its way when the sweep was submitted again is not of this submission.
        if (report.Status.Submission != Submission || (before is not null && report.Version.IsStale(before.Version)))
            return false;
        _heard[report.Status.Key] = new(report.Status, report.Version, _time.GetTimestamp());
        Wake();
        return before is null || Facts(before.Status) != Facts(report.Status);

        static (bool, bool, int, string?) Facts(StageStatus s) => (IsDone(s), s.PartsLeased == 0, s.RowsFailed, s.Fault);
    }

    int Submission => _intent.Written.Submission;

    /// <summary>Something changed that watchers want to know.</summary>
    public void Wake()
    {
        var changed = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    /// <summary>Whether a stage that is not done has not been heard of for a while.</summary>
    public bool MissesAny => _intent.Written.Plan is { } plan && plan.Stages.Any(s => !IsCurrent(_heard.GetValueOrDefault(s.Key)));

    /// <summary>Waits until the look that is under way has ended.</summary>
    public Task EndedAsync() => _looks.EndedAsync();

    /// <summary>Failures are tried again: they are no longer there to be tried in a higher precision.</summary>
    public void Forget()
    {
        _retries = null;
        _heard.Clear();
    }

    /// <summary>For whoever measures: the rows that wait for a device, as far as stages told.</summary>
    public void Measure()
    {
        if (_intent.Written.Plan is { } plan && plan.Stages.All(s => _heard.ContainsKey(s.Key)))
            _waiting.Update(plan, [.. plan.Stages.Select(s => _heard[s.Key].Status)], _intent.Life.Phase is SweepPhase.Running);
    }

    /// <summary>Nothing waits for a device any more.</summary>
    public void Stop() => _waiting.Update(_intent.Written.Plan!, [], runs: false);

    public void Dispose() => _waiting.Dispose();

    /// <summary>How the sweep was when it was seen last; nothing done where it never was.</summary>
    public SweepStatus Last(SweepPlan plan) => _last ?? new(
        plan.SweepId, _version, Live,
        [
            .. plan.Stages.Select(s => _heard.GetValueOrDefault(s.Key)?.Status ?? Unknown(s)),
        ],
        Fault: null);

    /// <summary>Gives a snapshot that differs from the last one the next version: a time, so that it rises over restarts too.</summary>
    public SweepStatus Remember(SweepStatus status)
    {
        if (_last is null || !Same(_last, status))
            _version = Math.Max(_version + 1, _time.GetUtcNow().ToUnixTimeMilliseconds());
        return _last = status with { Version = _version };
    }

    /// <summary>The last snapshot; null before the first look.</summary>
    public SweepStatus? Seen => _last;

    /// <summary>The state of a sweep that is not at its end.</summary>
    public SweepState Live => _intent.Life.Phase is SweepPhase.Paused ? SweepState.Paused : SweepState.Running;

    async Task<SweepLook> LookOnceAsync()
    {
        var (seen, plan) = (_intent.Life, _intent.Written.Plan!);
        var ask = _askNext;
        _askNext = false;
        var planned = await Task.WhenAll(plan.Stages.Select(s => StatusAsync(plan.SweepId, s, ask)));
        _waiting.Update(plan, planned, _intent.Life.Phase is SweepPhase.Running);
        // A sweep that is being submitted has not told all its stages yet: their failures are old ones.
        var told = !seen.Owes(SweepDebts.Demands) && planned.All(s => s.Submission == Submission || s.Silence is not null);
        var (stages, substitutions) = told
            ? await (_retries ??= new(plan.SweepId, Submission, _stageOf, _intent.NoteElsewhereAsync, _intent.Written.TraceParent))
                .ApplyAsync(plan, planned)
            : (planned, []);
        var state = told && seen.Change == _intent.Life.Change
            ? SweepVerdict.Of(plan, stages, seen.Phase is SweepPhase.Paused, _waitsOutFaults)
            : Live;
        var status = new SweepStatus(plan.SweepId, _version, state, [.. stages], stages.FirstOrDefault(s => s.Fault is not null)?.Fault)
        {
            Substitutions = substitutions,
        };
        return new(seen, Remember(_journal.Observe(status, _intent.Written)), planned.Any(
            s => s.Silence is null && (s.RowsWanted == 0 || s.Submission != Submission)));
    }

    /// <summary>How a stage stands: as it was heard, unless that may be out of date.</summary>
    async Task<StageStatus> StatusAsync(string sweepId, PlannedStage stage, bool ask)
    {
        var heard = _heard.GetValueOrDefault(stage.Key);
        if (heard is not null && (ask ? IsDone(heard.Status) : IsCurrent(heard)))
            return heard.Status;
        try
        {
            var status = await _stageOf(stage.Key).GetStatusAsync(sweepId).AsTask().WaitAsync(s_answersWithin, _time);
            if (status.Submission == Submission)
                _heard[stage.Key] = new(status, _heard.GetValueOrDefault(stage.Key)?.Version ?? default, _time.GetTimestamp());
            return status;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Nobody waits for it but those who need its rows.
            return (heard?.Status ?? Unknown(stage)) with { Silence = (CallException.In(exception) ?? exception).Message };
        }
    }

    bool IsCurrent(Heard? heard) =>
        heard is not null && (IsDone(heard.Status) || _time.GetElapsedTime(heard.At) < s_heardWithin);

    /// <summary>Nothing more comes of it by itself.</summary>
    static bool IsDone(StageStatus status) =>
        status is { RowsWanted: > 0, PartsLeased: 0 } && status.RowsDone + status.RowsFailed >= status.RowsWanted;

    static StageStatus Unknown(PlannedStage stage) => new(
        stage.Key, stage.Spec.Kind, stage.Rows.Count, RowSet.Empty, RowsReused: 0, RowsFailed: 0, PartsLeased: 0,
        (double)stage.Rows.Count * stage.Spec.EvaluationsPerRow, EvaluationsDone: 0, [], Fault: null);

    static bool Same(SweepStatus a, SweepStatus b) =>
        a.State == b.State && a.Fault == b.Fault && a.Recovered == b.Recovered && a.Stages.Zip(b.Stages).All(p =>
            p.First.RowsDone == p.Second.RowsDone && p.First.EvaluationsDone == p.Second.EvaluationsDone
            && p.First.PartsLeased == p.Second.PartsLeased && p.First.RowsFailed == p.Second.RowsFailed
            && p.First.Refusals.SequenceEqual(p.Second.Refusals) && p.First.Silence == p.Second.Silence
            && p.First.Pauses.Select(h => (h.Host, h.Failures)).SequenceEqual(p.Second.Pauses.Select(h => (h.Host, h.Failures))));

    /// <summary>What a stage said, and when.</summary>
    sealed record Heard(StageStatus Status, NewsVersion Version, long At);
}

/// <summary>A snapshot, and the life of the sweep when the look at its stages began.</summary>
/// <param name="IsForgotten">A stage answers that the sweep wants nothing of it, or what an earlier submission wanted.</param>
readonly record struct SweepLook(SweepLife Seen, SweepStatus Status, bool IsForgotten);
