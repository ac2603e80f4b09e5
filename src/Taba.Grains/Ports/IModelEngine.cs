using System.Collections.Immutable;
using Taba.Grains.Models;
using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>The engine of a model on a device of this silo, as its grain drives it. Nothing here waits for the device.</summary>
public interface IModelEngine
{
    /// <summary>What it is and does at this moment.</summary>
    EngineStatus Status { get; }

    /// <summary>Announces that the model is about to be loaded; from then on it counts among the device's models.</summary>
    /// <returns>False when it is there, or on its way.</returns>
    bool TryReserve();

    /// <summary>
    /// Loads what was reserved, away from the caller's thread. Whoever waits for the engine hears of a failure; this does not fail.
    /// </summary>
    Task LoadAsync(StageSpec spec);

    /// <summary>Ends the engine and frees its memory. What it did stays counted.</summary>
    Task UnloadAsync();

    /// <summary>Enqueues the opening of a slot for a row of a prepared part.</summary>
    SlotHandle Open(PartAttempt attempt, int sample);

    /// <summary>Enqueues at most so many steps; the end is reported to the trajectory's grain.</summary>
    void RunSegment(SlotHandle slot, int steps);

    /// <summary>Gives the slot up. Idempotent.</summary>
    void Close(SlotHandle slot);
}

/// <summary>The engines of this silo.</summary>
public interface IModelEngines
{
    /// <summary>Models that a device keeps loaded.</summary>
    int MaxModels { get; }

    /// <summary>The engine that a model's grain drives.</summary>
    /// <exception cref="ArgumentException">This silo has no such device.</exception>
    IModelEngine Get(ModelAddress model);

    /// <summary>Engines of a device that are loaded, or on their way.</summary>
    ImmutableArray<string> Resident(string device);
}
