using Taba.Grains.Stages;

namespace Taba.Grains.Ports;

/// <summary>The engines of this silo. Nothing here waits for a device.</summary>
public interface IEngineHost
{
    /// <summary>The most steps that a trajectory runs before it reports and is checkpointed.</summary>
    int SegmentSteps { get; }

    /// <summary>The engines begin nothing more: this silo ends.</summary>
    bool Draining => false;

    /// <summary>Name of the engine that serves a stage: model, precision and batch shape.</summary>
    string EngineKey(StageSpec spec);

    /// <summary>Enqueues the opening of a slot for a row of a prepared part.</summary>
    SlotHandle Open(PartAttempt attempt, int sample);

    /// <summary>Enqueues steps; the end is reported to the trajectory's grain.</summary>
    void RunSegment(SlotHandle slot, int steps);

    /// <summary>Gives the slot up. Idempotent.</summary>
    void Close(SlotHandle slot);
}
