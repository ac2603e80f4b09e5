using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Silo.Workers;

/// <summary>Asks the stages of all live sweeps for parts, in the order of <see cref="WorkOrder"/>, while there is room.</summary>
sealed class PartPuller(
    IGrainFactory grains, ILocalSiloDetails silo, SiloFacts facts, WorkerRoom room, WorkOrder order, ModelPauses pauses)
{
    /// <summary>Leases of the first stage that has parts for this silo; none when none has, or nothing fits.</summary>
    /// <param name="preferredRow">A row whose results are at hand.</param>
    public async Task<ImmutableArray<PartLease>> PullAsync(int? preferredRow)
    {
        if (!room.HasAny)
            return [];
        var live = await grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync();
        var work = await Task.WhenAll(
            live.Select(async sweep => (sweep, await grains.GetGrain<ISweepGrain>(sweep.SweepId).GetWorkAsync())));
        foreach (var (sweepId, stage) in order.Of(work, room.IsLoaded))
        {
            if (!room.Fits(stage))
                continue;
            // A stage whose model this silo does not have is asked all the same: so it knows, and whoever looks at the sweep.
            var request = new LeaseRequest(stage.HasSteps ? room.Rows : 1, preferredRow)
            {
                Refusal = stage.Model is { } model ? pauses.Reason(model) : null,
                Held = room.Held,
                Host = facts.Name,
            };
            var taken = await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key))
                .LeaseAsync(silo.SiloAddress.ToParsableString(), request);
            if (taken.IsEmpty)
                continue;
            order.Took(sweepId, taken.Sum(l => l.Rows.Count));
            return taken;
        }
        return [];
    }
}
