using Taba.Grains.Sweeps;
using Taba.Silo.Engines;

namespace Taba.Silo.Workers;

/// <summary>How much more this silo can take. Nobody else needs to know how busy its devices are: who has no room does not ask.</summary>
sealed class WorkerRoom(IEngineCapacity engines, WorkerRole role, HeldParts held)
{
    /// <summary>Rows in flight fill the slots, and one more part waits so that the device never does.</summary>
    public int Rows => role.HasDevice ? engines.Slots + engines.BatchSize - held.RowsWithSteps : 0;

    public bool HasAny => engines.CanWork && !held.HasSuspect && (Rows > 0 || HasAutoencoder);

    /// <summary>Rows of all parts that it holds.</summary>
    public int Held => held.Rows;

    bool HasAutoencoder => held.PartsWithoutSteps < engines.AutoencoderParts;

    /// <summary>Whether a part of a stage fits.</summary>
    public bool Fits(StageWork stage) => stage.HasSteps ? Rows > 0 : HasAutoencoder;

    public bool IsLoaded(string engine) => engines.IsLoaded(engine);
}
