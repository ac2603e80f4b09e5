using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Telemetry;

namespace Taba.Grains.Actors;

/// <summary>
/// Asks a sweep's stages how they stand and adds it up. One look at a time, shared by all who want one: a look may find stages that must
/// stand in for others, and has their rows demanded.
/// </summary>
sealed class SweepLooks : IDisposable
{
    readonly SweepIntent _intent;
    readonly Func<string, IStageGrain> _stageOf;
    readonly bool _waitsOutFaults;
    readonly TimeProvider _time;
    readonly SharedWork<SweepLook> _looks;
    readonly WaitingWork _waiting;
    PrecisionRetries? _retries;
    SweepStatus? _last;
    long _version;

    public SweepLooks(SweepIntent intent, Func<string, IStageGrain> stageOf, bool waitsOutFaults, TimeProvider time)
    {
        (_intent, _stageOf, _waitsOutFaults, _time) = (intent, stageOf, waitsOutFaults, time);
        _looks = new(LookOnceAsync);
        _waiting = new(time);
    }

    /// <summary>Work of stages that stand in for planned ones, as a sweep lists its own.</summary>
    public ImmutableArray<StageWork> Work => _retries?.Work ?? [];

    /// <summary>A look that begins now or later.</summary>
    public Task<SweepLook> LookAsync() => _looks.RunAsync();

    /// <summary>Waits until the look that is under way has ended.</summary>
    public Task EndedAsync() => _looks.EndedAsync();

    /// <summary>Failures are tried again: they are no longer there to be tried in a higher precision.</summary>
    public void Forget() => _retries = null;

    /// <summary>Nothing waits for a device any more.</summary>
    public void Stop() => _waiting.Update(_intent.Written.Plan!, [], runs: false);

    public void Dispose() => _waiting.Dispose();

    /// <summary>How the sweep was when it was seen last; nothing done where it never was.</summary>
    public SweepStatus Last(SweepPlan plan) => _last ?? new(
        plan.SweepId, _version, Live,
        [
            .. plan.Stages.Select(s => new StageStatus(
                s.Key, s.Spec.Kind, s.Rows.Count, RowSet.Empty, RowsReused: 0, RowsFailed: 0, PartsLeased: 0,
                (double)s.Rows.Count * s.Spec.EvaluationsPerRow, EvaluationsDone: 0, [], Fault: null)),
        ],
        Fault: null);

    /// <summary>Gives a snapshot that differs from the last one the next version: a time, so that it rises over restarts too.</summary>
    public SweepStatus Remember(SweepStatus status)
    {
        if (_last is null || !Same(_last, status))
            _last = status with { Version = _version = Math.Max(_version + 1, _time.GetUtcNow().ToUnixTimeMilliseconds()) };
        return _last;
    }

    /// <summary>The state of a sweep that is not at its end.</summary>
    public SweepState Live => _intent.Life.Phase is SweepPhase.Paused ? SweepState.Paused : SweepState.Running;

    async Task<SweepLook> LookOnceAsync()
    {
        var (seen, plan) = (_intent.Life, _intent.Written.Plan!);
        var planned = await Task.WhenAll(plan.Stages.Select(s => _stageOf(s.Key).GetStatusAsync(plan.SweepId).AsTask()));
        _waiting.Update(plan, planned, _intent.Life.Phase is SweepPhase.Running);
        // A sweep that is being submitted has not told all its stages yet: their failures are old ones.
        var told = !seen.Owes(SweepDebts.Demands);
        var (stages, substitutions) = told
            ? await (_retries ??= new(plan.SweepId, _stageOf, _intent.NoteElsewhereAsync, _intent.Written.TraceParent))
                .ApplyAsync(plan, planned)
            : (planned, []);
        var state = told && seen.Change == _intent.Life.Change
            ? SweepVerdict.Of(plan, stages, seen.Phase is SweepPhase.Paused, _waitsOutFaults)
            : Live;
        var status = new SweepStatus(plan.SweepId, _version, state, [.. stages], stages.FirstOrDefault(s => s.Fault is not null)?.Fault)
        {
            Substitutions = substitutions,
        };
        return new(seen, Remember(status));
    }

    static bool Same(SweepStatus a, SweepStatus b) =>
        a.State == b.State && a.Fault == b.Fault && a.Stages.Zip(b.Stages).All(p =>
            p.First.RowsDone == p.Second.RowsDone && p.First.EvaluationsDone == p.Second.EvaluationsDone
            && p.First.PartsLeased == p.Second.PartsLeased && p.First.RowsFailed == p.Second.RowsFailed
            && p.First.Refusals.SequenceEqual(p.Second.Refusals)
            && p.First.Pauses.Select(h => (h.Host, h.Failures)).SequenceEqual(p.Second.Pauses.Select(h => (h.Host, h.Failures))));
}

/// <summary>A snapshot, and the life of the sweep when the look at its stages began.</summary>
readonly record struct SweepLook(SweepLife Seen, SweepStatus Status);
