using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Models;
using Taba.Grains.Ports;
using Taba.Silo.Engines;
using Taba.Simulation.Cluster;
using Taba.Storage.Checkpoints;

namespace Taba.Simulation.Work;

/// <summary>The engines of a silo's one device.</summary>
sealed class SimEngines(SimSilo silo, SimParts parts, PartCheckpoints checkpoints) : IModelEngines, IEngineCapacity
{
    readonly Dictionary<ModelAddress, SimEngine> _engines = [];

    public int MaxModels => 2;

    public int Devices => 1;

    public int Slots => silo.Cluster.Settings.Slots;

    public int BatchSize => silo.Cluster.Settings.BatchSize;

    public int AutoencoderParts => 1;

    public bool CanWork => true;

    public IModelEngine Get(ModelAddress model) => Engine(model);

    public ImmutableArray<string> Resident(string device) =>
        [.. _engines.Where(e => e.Value.Status.Residency != EngineResidency.Unloaded).Select(e => e.Key.Engine)];

    public ImmutableArray<ResidentEngine> Loaded =>
    [
        .. _engines.Where(e => e.Value.Status.Residency != EngineResidency.Unloaded).Select(
            e => new ResidentEngine(e.Key.Engine, (silo.Cluster.Settings.StepTime * silo.Machine.Slowness).TotalSeconds)),
    ];

    public Task LoadedAsync(ModelAddress model) => Engine(model).LoadedAsync();

    SimEngine Engine(ModelAddress model) =>
        _engines.TryGetValue(model, out var engine) ? engine : _engines[model] = new(silo, parts, checkpoints);
}
