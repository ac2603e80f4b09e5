using Orleans.Concurrency;
using Taba.Grains.Stages;

namespace Taba.Grains.Models;

/// <summary>
/// The owner of one engine: one model on one device of one silo, where it is pinned. The key is <c>silo|device|engine</c>. It knows which
/// parts need the engine, has it loaded, makes room for it, and lets it go. No call waits for the device.
/// </summary>
[Alias("taba.IModelGrain")]
public interface IModelGrain : IGrainWithStringKey
{
    /// <summary>A part needs the engine until it is released. Begins to load the model unless it is there. Idempotent.</summary>
    [Alias("Acquire")]
    ValueTask AcquireAsync(PartAttempt attempt, StageSpec spec);

    /// <summary>A part needs the engine no more. Idempotent.</summary>
    [Alias("Release")]
    ValueTask ReleaseAsync(PartAttempt attempt);

    /// <summary>Another model needs the room. Idempotent.</summary>
    /// <returns>False when a part needs the engine, so that it stays.</returns>
    [Alias("Unload")]
    Task<bool> UnloadAsync();

    /// <summary>Enqueues the opening of a slot. Opening again gives a new slot: the caller closes the one it no longer wants.</summary>
    [Alias("Open")]
    ValueTask<SlotHandle> OpenAsync(PartAttempt attempt, int sample);

    /// <summary>Enqueues at most so many steps and returns; the end of the segment is reported to the trajectory's grain.</summary>
    [Alias("RunSegment")]
    ValueTask RunSegmentAsync(SlotHandle slot, int steps);

    /// <summary>Gives a slot up. Idempotent.</summary>
    [Alias("Close")]
    ValueTask CloseAsync(SlotHandle slot);

    /// <summary>The engine and its parts at this moment.</summary>
    [AlwaysInterleave, Alias("Status")]
    ValueTask<ModelStatus> GetStatusAsync();
}

/// <summary>A model on a device.</summary>
/// <param name="Engine">Its engine.</param>
/// <param name="Parts">Parts that need it now.</param>
/// <param name="IdleFor">How long nobody has needed it; zero while a part does.</param>
[GenerateSerializer, Immutable, Alias("taba.ModelStatus")]
public sealed record ModelStatus(EngineStatus Engine, int Parts, TimeSpan IdleFor);
