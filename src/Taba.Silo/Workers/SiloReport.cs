using Taba.Grains.Silos;
using Taba.Grains.Words;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Models;
using Taba.Silo.Telemetry;
using Taba.Storage.Checkpoints;

namespace Taba.Silo.Workers;

/// <summary>How this silo fares, made from what is in memory: no disk and no grain is asked.</summary>
sealed class SiloReport(
    ILocalSiloDetails silo, SiloFacts facts, EngineDevices engines, GpuMemories memories, PartWorker worker, HeldParts held,
    ModelPauses pauses, PartCheckpoints checkpoints, FreeSpace space, TimeProvider time)
{
    readonly long _began = time.GetTimestamp();
    readonly Lazy<SiloInfo> _info = new(() => facts.ToInfo(silo.SiloAddress));

    /// <summary>At this moment.</summary>
    public SiloFare Now() => new(
        _info.Value, Environment.MachineName, time.GetElapsedTime(_began),
        facts.HasDevice ? [.. engines.Fares.Select(WithMemory)] : [])
    {
        Draining = worker.IsDraining,
        Refusals = [.. pauses.Named.Take(SiloFare.MostRefusals).Select(p => new RefusedHere(p.Name, Sentences.Short(p.Reason)))],
        StoreFree = space.Store,
        ScratchFree = space.Scratch,
        CheckpointQueue = checkpoints.BytesWaiting,
        CheckpointAge = checkpoints.OldestWaiting,
        PartsHeld = held.Count,
    };

    DeviceFare WithMemory(DeviceFare device) => memories.Of(device.Name) is var (total, used)
        ? device with { MemoryUsed = used, MemoryLimit = total, Trouble = Sentences.Short(device.Trouble) }
        : device with { Trouble = Sentences.Short(device.Trouble) };
}
