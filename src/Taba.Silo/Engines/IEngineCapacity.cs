namespace Taba.Silo.Engines;

/// <summary>The room of a silo's engines, which a worker asks for before it takes parts.</summary>
interface IEngineCapacity
{
    /// <summary>Trajectories that an engine of this silo runs at once.</summary>
    int Slots { get; }

    /// <summary>The most rows of one forward pass.</summary>
    int BatchSize { get; }

    /// <summary>False when the device is broken or hangs: what begins now would only fail.</summary>
    bool CanWork { get; }

    /// <summary>True when an engine is loaded, or is about to be.</summary>
    bool IsLoaded(string engineKey);
}
