using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Orleans.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Sweeps;

/// <summary>The durable state of a sweep.</summary>
[GenerateSerializer, Alias("taba.SweepGrainState")]
public sealed record SweepGrainState
{
    [Id(0)] public int Schema { get; init; } = 1;

    [Id(1)] public SweepPlan? Plan { get; init; }

    [Id(2)] public SweepState? Ended { get; init; }
}

/// <summary>Holds a plan, asks its stages for rows, and adds up what they say.</summary>
[PreferLocalPlacement]
sealed class SweepGrain(
    [PersistentState("sweep", GrainStorage.Name)] IPersistentState<SweepGrainState> state,
    IWorkSignal signal,
    TimeProvider time) : Grain, ISweepGrain
{
    static readonly TimeSpan WatchEvery = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan AnswerAtLeastEvery = TimeSpan.FromSeconds(5);

    long _version;
    SweepStatus? _last;

    public async Task<SweepStatus> SubmitAsync(SweepPlan plan)
    {
        state.State = state.State with { Plan = plan, Ended = null };
        await state.WriteStateAsync();
        foreach (var stage in plan.Stages)
            await Stage(stage.Key).DemandAsync(new StageDemand(plan.SweepId, stage.Spec, stage.Rows, stage.Keep));
        await GrainFactory.GetGrain<ISweepIndexGrain>(0).AddAsync(plan.SweepId);
        signal.WorkMayBeAvailable();
        return await GetStatusAsync();
    }

    public ValueTask<ImmutableArray<string>> GetWorkAsync() =>
        new(state.State is { Plan: { } plan, Ended: null } ? [.. plan.Stages.Reverse().Select(s => s.Key)] : ImmutableArray<string>.Empty);

    public async ValueTask<SweepStatus> GetStatusAsync()
    {
        if (state.State.Plan is not { } plan)
            throw new InvalidOperationException($"There is no sweep {this.GetPrimaryKeyString()}.");
        var stages = await Task.WhenAll(plan.Stages.Select(s => Stage(s.Key).GetStatusAsync(plan.SweepId).AsTask()));
        var status = new SweepStatus(plan.SweepId, _version, Judge(plan, stages), [.. stages], stages.FirstOrDefault(s => s.Fault is not null)?.Fault);
        if (_last is null || !Same(_last, status))
            _last = status with { Version = ++_version };
        if (_last.State is SweepState.Completed or SweepState.CompletedWithFailures && state.State.Ended is null)
            await EndAsync(plan, _last.State);
        return _last;
    }

    public async IAsyncEnumerable<SweepStatus> WatchAsync(
        long sinceVersion, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var seen = sinceVersion;
        var answered = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            var status = await GetStatusAsync();
            if (status.Version != seen || time.GetElapsedTime(answered) >= AnswerAtLeastEvery)
            {
                seen = status.Version;
                answered = time.GetTimestamp();
                yield return status;
            }
            if (status.State != SweepState.Running)
                yield break;
            await Task.Delay(WatchEvery, time, cancellationToken);
        }
    }

    public async Task CancelAsync()
    {
        if (state.State.Plan is { } plan && state.State.Ended is null)
            await EndAsync(plan, SweepState.Cancelled);
    }

    async Task EndAsync(SweepPlan plan, SweepState ended)
    {
        state.State = state.State with { Ended = ended };
        await state.WriteStateAsync();
        await GrainFactory.GetGrain<ISweepIndexGrain>(0).RemoveAsync(plan.SweepId);
        if (ended == SweepState.Cancelled)
            await Task.WhenAll(plan.Stages.Select(s => Stage(s.Key).WithdrawAsync(plan.SweepId)));
    }

    /// <summary>A row that failed is missing in every stage that depends on it: the sweep ends when nothing else is missing.</summary>
    SweepState Judge(SweepPlan plan, StageStatus[] stages)
    {
        if (state.State.Ended is { } ended)
            return ended;
        var lost = new Dictionary<string, RowSet>();
        var open = false;
        var failed = false;
        for (var i = 0; i < stages.Length; i++)
        {
            var planned = plan.Stages[i];
            var missing = RowSet.Of([.. stages[i].Failures.Select(f => new RowRange(f.Sample, f.Sample + 1))]);
            if (planned.Spec.ParentKey is { } parent && lost.TryGetValue(parent, out var inherited))
                missing = missing.Union(inherited);
            missing = missing.Intersect(planned.Rows);
            lost[planned.Key] = missing;
            failed |= !missing.IsEmpty;
            open |= stages[i].RowsDone + missing.Count < planned.Rows.Count;
        }
        if (open && stages.Any(s => s.Fault is not null) && stages.All(s => s.PartsLeased == 0))
            return SweepState.Faulted;
        return open ? SweepState.Running : failed ? SweepState.CompletedWithFailures : SweepState.Completed;
    }

    static bool Same(SweepStatus a, SweepStatus b) =>
        a.State == b.State && a.Fault == b.Fault && a.Stages.Zip(b.Stages).All(p =>
            p.First.RowsDone == p.Second.RowsDone && p.First.EvaluationsDone == p.Second.EvaluationsDone
            && p.First.PartsLeased == p.Second.PartsLeased && p.First.RowsFailed == p.Second.RowsFailed);

    IStageGrain Stage(string key) => GrainFactory.GetGrain<IStageGrain>(StageAddress.GrainKey(key));
}
