using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Waits;
using Taba.Silo.Web.Live;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Where the rows of stages are, and what is known where somebody asks why they wait.</summary>
sealed class StageLooks(IGrainFactory grains, TimeProvider time)
{
    /// <summary>One look at a page of stages asks each of them: all is shown that those say which answer at once.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(1);

    readonly SharedReads<string, DispatchStanding?> _standings = new(s_fresh, 64, time);
    readonly SharedReads<int, FleetView?> _fleet = new(s_fresh, 1, time);

    /// <summary>The facts for <see cref="Waiting"/>. Who does not answer is not known of.</summary>
    public async Task<WaitFacts> FactsAsync(PlanNames plan, SweepStatus status)
    {
        if (!status.State.IsLive())
            return new(plan.Plan, status, plan.Names);
        var standing = _standings.GetAsync(status.SweepId, () => TryAsync(
            grains.GetGrain<IDispatcherGrain>(0).GetStandingAsync(new([status.SweepId], [])).AsTask()));
        var fleet = _fleet.GetAsync(0, () => TryAsync(grains.GetGrain<IFleetGrain>(0).GetAsync(new(0, 0)).AsTask()));
        return new(plan.Plan, status, plan.Names)
        {
            Standing = await standing,
            DevicesWorking = await fleet is { Total: > 0 } known ? known.DevicesWorking : null,
        };
    }

    /// <summary>The rows of a stage in cells.</summary>
    public async Task<ImmutableArray<StripBin>> StripAsync(PlanNames plan, SweepStatus status, StageStatus stage, int bins) =>
        // Of a stage with nothing out its status says all.
        stage.PartsLeased == 0
            ? Known(plan, stage, bins).Strip
            : (await PartsAsync(plan, status, stage, new(status.SweepId, bins, 0, 0))).Strip;

    /// <summary>
    /// Asks the stage; one that does not answer, or knows the sweep no more because it has ended, is shown by its status.
    /// </summary>
    public async Task<StageParts> PartsAsync(PlanNames plan, SweepStatus status, StageStatus stage, StagePartsAsk ask)
    {
        var told = status.State.IsLive()
            ? await TryAsync(grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key)).GetPartsAsync(ask).AsTask())
            : null;
        return told is { Strip.IsEmpty: false } ? told : Known(plan, stage, ask.Bins);
    }

    static StageParts Known(PlanNames plan, StageStatus stage, int bins)
    {
        var failed = stage.Failed.Rows().Subtract(stage.Done);
        // A stage in a higher precision is wanted for a few rows only: as far as is known, those that are done or given up.
        var wanted = plan.Stage(stage.Key) is { } planned ? RowSet.Of(planned.Rows) : stage.Done.Union(failed);
        if (wanted.IsEmpty)
            return new(stage.Key, default, [], 0, []);
        var all = new RowRange(wanted.Ranges[0].Start, wanted.Ranges[^1].End);
        return new(stage.Key, all, StageStrip.Of(all, bins, wanted, stage.Done, RowSet.Empty, failed), 0, []);
    }

    async Task<T?> TryAsync<T>(Task<T> asked)
        where T : class
    {
        try
        {
            return await asked.WaitAsync(s_patience, time);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return null;
        }
    }
}
