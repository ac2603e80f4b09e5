using Orleans.GrainDirectory;
using Orleans.Placement;
using Taba.Grains.Models;
using Taba.Grains.Parts;
using Taba.Grains.Placement;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Actors;

/// <summary>
/// Steps one sample in segments. It holds where the sample is and which slot it has; its tensor is the engine's, its
/// checkpoint the store's.
/// </summary>
[PreferLocalPlacement, GrainDirectory(SiloGrainDirectory.Name)]
sealed class TrajectoryGrain(ILocalSiloDetails silo) : Grain, ITrajectoryGrain
{
    TrajectoryOrder? _order;
    SlotHandle _slot;
    int _nextStep;
    PartAttempt _last;

    public async Task<bool> StartAsync(TrajectoryOrder order)
    {
        if (order.Attempt.Epoch <= _last.Epoch)
            return order.Attempt == _last;
        _last = order.Attempt;
        // Waiting for a slot and running a segment are not calls, so to Orleans this grain looks idle.
        DelayDeactivation(TimeSpan.FromDays(1));
        if (_order is { } current)
            await Model(current).CloseAsync(_slot);
        _order = order;
        _nextStep = order.FirstStep;
        _slot = await Model(order).OpenAsync(order.Attempt, order.Sample);
        await RunSegmentAsync(order);
        return true;
    }

    public async Task SegmentEndedAsync(PartAttempt attempt, int nextStep, bool completed)
    {
        // A report that comes twice must not run the next segment twice.
        if (_order is not { } order || order.Attempt != attempt || nextStep <= _nextStep)
            return;
        _nextStep = nextStep;
        if (completed)
            await EndAsync(order, failure: null);
        else
            await RunSegmentAsync(order);
    }

    public async Task FailedAsync(PartAttempt attempt, int step, FailureKind kind, string reason)
    {
        if (_order is not { } order || order.Attempt != attempt)
            return;
        await Model(order).CloseAsync(_slot);
        await EndAsync(order, new SampleFailure(attempt.StageKey, order.Sample, step, reason) { Kind = kind });
    }

    public async Task StopAsync(PartAttempt attempt)
    {
        if (_order is not { } order || order.Attempt != attempt)
            return;
        _order = null;
        await Model(order).CloseAsync(_slot);
        DeactivateOnIdle();
    }

    public ValueTask<TrajectoryStatus> GetStatusAsync() =>
        new(new TrajectoryStatus(_order?.Sample ?? -1, _nextStep, _order?.TotalSteps ?? 0, _order is not null));

    ValueTask RunSegmentAsync(TrajectoryOrder order) =>
        Model(order).RunSegmentAsync(_slot, order.TotalSteps - _nextStep);

    async Task EndAsync(TrajectoryOrder order, SampleFailure? failure)
    {
        _order = null;
        await GrainFactory.GetGrain<IPartGrain>(order.Attempt.PartKey).SampleEndedAsync(order.Attempt, order.Sample, failure);
        DeactivateOnIdle();
    }

    IModelGrain Model(TrajectoryOrder order) =>
        GrainFactory.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(silo.SiloAddress, order.Model));
}
