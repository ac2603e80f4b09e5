using Orleans.Concurrency;
using Orleans.GrainDirectory;
using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

[Reentrant, PinnedToSilo, GrainDirectory(SiloGrainDirectory.Name)]
sealed class ModelGrain(IEngineHost engines) : Grain, IModelGrain
{
    public ValueTask<SlotHandle> OpenAsync(PartAttempt attempt, int sample) => new(engines.Open(attempt, sample));

    public ValueTask RunSegmentAsync(SlotHandle slot, int steps)
    {
        engines.RunSegment(slot, steps);
        return ValueTask.CompletedTask;
    }

    public ValueTask CloseAsync(SlotHandle slot)
    {
        engines.Close(slot);
        return ValueTask.CompletedTask;
    }
}
