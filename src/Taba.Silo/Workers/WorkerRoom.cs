using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Silo.Engines;

namespace Taba.Silo.Workers;

/// <summary>How much more this silo can take. Nobody else needs to know how busy its devices are: who has no room does not ask.</summary>
sealed class WorkerRoom(IEngineCapacity engines, WorkerRole role, HeldParts held)
{
    /// <summary>A device has one part more than it works on, however small its batches are.</summary>
    const int PartsOfADevice = 2;

    /// <summary>Rows in flight fill the slots, and one more part waits so that the device never does.</summary>
    public int Rows => !role.HasDevice ? 0 : Math.Max(
        engines.Slots + engines.BatchSize - held.RowsWithSteps, (PartsOfADevice * engines.Devices) - held.PartsWithSteps);

    /// <summary>Parts that pass through autoencoders.</summary>
    public int AutoencoderParts => engines.AutoencoderParts - held.PartsWithoutSteps;

    public bool HasAny => engines.CanWork && !held.HasSuspect && (Rows > 0 || AutoencoderParts > 0);

    /// <summary>Engines that are loaded, or about to be.</summary>
    public ImmutableArray<ResidentEngine> Loaded => engines.Loaded;
}
