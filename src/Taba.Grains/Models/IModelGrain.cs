using Taba.Grains.Stages;

namespace Taba.Grains.Models;

/// <summary>A façade over one engine of one silo, where it is pinned. The key is <c>silo|engine</c>. It holds nothing.</summary>
[Alias("taba.IModelGrain")]
public interface IModelGrain : IGrainWithStringKey
{
    /// <summary>Enqueues the opening of a slot. Opening again gives a new slot: the caller closes the one it no longer wants.</summary>
    [Alias("Open")]
    ValueTask<SlotHandle> OpenAsync(PartAttempt attempt, int sample);

    /// <summary>Enqueues a segment and returns; its end is reported to the trajectory's grain.</summary>
    [Alias("RunSegment")]
    ValueTask RunSegmentAsync(SlotHandle slot, int steps);

    /// <summary>Gives a slot up. Idempotent.</summary>
    [Alias("Close")]
    ValueTask CloseAsync(SlotHandle slot);
}
