namespace Taba.Silo.Engines;

/// <summary>What a worker asks of the engines of its silo before it takes parts.</summary>
interface IEngineCapacity
{
    /// <summary>Trajectories that an engine of this silo runs at once.</summary>
    int Slots { get; }

    /// <summary>The most rows of one forward pass.</summary>
    int BatchSize { get; }

    /// <summary>False when the device is broken or hangs: what begins now would only fail.</summary>
    bool CanWork { get; }

    /// <summary>Whether an engine is loaded, or is about to be.</summary>
    bool IsLoaded(string engineKey);
}
