using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>The calls by which a sweep tells the index and its stages what it means to do.</summary>
sealed class SweepErrands(IGrainFactory grains)
{
    /// <summary>Stages that are told at once: few enough not to flood a silo that comes up.</summary>
    const int AtOnce = 32;

    /// <summary>Has the index list the sweep as it is: running, paused or ended.</summary>
    public async Task ListAsync(SweepGrainState sweep, SweepLife life, DateTimeOffset now)
    {
        var plan = sweep.Plan!;
        var index = grains.GetGrain<ISweepIndexGrain>(0);
        if (life.IsLive)
        {
            await index.AddAsync(
                new(plan.SweepId, plan.Name, plan.Priority, life.Phase is SweepPhase.Paused, sweep.SubmittedAt ?? now, Ended: null,
                    EndedAt: null)
                { User = sweep.User });
            return;
        }
        if (sweep.Final is { } final)
            await index.ProgressAsync(final.Progress);
        await index.EndAsync(plan.SweepId, sweep.Ended!.Value);
    }

    /// <summary>Tells stages which rows the sweep wants.</summary>
    /// <inheritdoc cref="TellAsync" path="/param"/>
    /// <inheritdoc cref="TellAsync" path="/returns"/>
    public Task<bool> DemandAsync(SweepGrainState sweep, bool keepFailures, HashSet<string> told, Func<bool> goOn)
    {
        var plan = sweep.Plan!;
        var depth = plan.Stages.Select((s, i) => (s.Key, i)).ToDictionary(s => s.Key, s => s.i);
        return TellAsync(plan.Stages.ToDictionary(s => s.Key), told, goOn, (stage, planned) => stage.DemandAsync(
            new StageDemand(plan.SweepId, planned.Spec, planned.Rows, planned.Keep)
            {
                KeepFailures = keepFailures,
                TraceParent = sweep.TraceParent,
                Depth = depth[planned.Key],
                Submission = sweep.Submission,
            }));
    }

    /// <summary>Tells every stage that may hold a demand of the sweep that it wants nothing any more.</summary>
    /// <inheritdoc cref="TellAsync" path="/param"/>
    /// <inheritdoc cref="TellAsync" path="/returns"/>
    public Task<bool> WithdrawAsync(SweepGrainState sweep, HashSet<string> told, Func<bool> goOn) => TellAsync(
        sweep.Plan!.Stages.Select(s => s.Key).Union(sweep.Elsewhere).ToDictionary(key => key),
        told, goOn, (stage, _) => stage.WithdrawAsync(sweep.Plan.SweepId));

    /// <summary>Has every stage that may have a state because of the sweep clear it, unless another sweep wants its rows.</summary>
    /// <returns>False when one of them has a part out still.</returns>
    public async Task<bool> ForgetAsync(SweepGrainState sweep)
    {
        var forgot = true;
        await TellAsync(
            sweep.Plan!.Stages.Select(s => s.Key).Union(sweep.Elsewhere).ToDictionary(key => key), [], goOn: () => true,
            async (stage, _) => forgot &= await stage.ForgetAsync());
        return forgot;
    }

    /// <summary>One stage that fails does not keep the others from hearing: the first failure is thrown when all were tried.</summary>
    /// <param name="told">Stages that have heard, which are left out; those that hear now are added.</param>
    /// <param name="goOn">Whether the sweep still means this; asked between groups of stages.</param>
    /// <returns>False when it stopped because the sweep means something else now.</returns>
    async Task<bool> TellAsync<T>(
        IReadOnlyDictionary<string, T> stages, HashSet<string> told, Func<bool> goOn, Func<IStageGrain, T, Task> tell)
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var group in stages.Where(s => !told.Contains(s.Key)).ToImmutableArray().Chunk(AtOnce))
        {
            if (!goOn())
                return false;
            var calls = Task.WhenAll(group.Select(async stage =>
            {
                await tell(grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key)), stage.Value);
                told.Add(stage.Key);
            }));
            try
            {
                await calls;
            }
            catch (Exception exception)
            {
                failure ??= ExceptionDispatchInfo.Capture(exception);
            }
        }
        failure?.Throw();
        return goOn();
    }
}
