using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Grains.Models;
using Taba.Grains.Ports;

namespace Taba.Grains.Tests.Fakes;

/// <summary>The devices of a silo, each with any engine that is asked for.</summary>
sealed class FakeEngines(IGrainFactory grains, FakeWorkspace workspace, DeviceScript script) : IModelEngines
{
    readonly ConcurrentDictionary<ModelAddress, FakeEngine> _engines = new();

    public int MaxModels => script.MaxModels;

    public IModelEngine Get(ModelAddress model) => _engines.GetOrAdd(model, _ => new(grains, workspace, script));

    public ImmutableArray<string> Resident(string device) =>
        [.. _engines.Where(e => e.Key.Device == device && e.Value.Status.Residency != EngineResidency.Unloaded).Select(e => e.Key.Engine)];
}
