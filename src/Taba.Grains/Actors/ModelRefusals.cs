using System.Collections.Immutable;
using Taba.Grains.Silos;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Silos that cannot serve a stage's model, with their reasons. Only in memory: a silo says so each time it looks for work.
/// </summary>
sealed class ModelRefusals
{
    readonly Dictionary<string, string> _reasons = [];

    public bool IsEmpty => _reasons.Count == 0;

    public void Add(string worker, string reason) => _reasons[worker] = reason;

    /// <summary>The silo does serve it.</summary>
    public void Remove(string worker) => _reasons.Remove(worker);

    /// <summary>Those of these silos that refuse.</summary>
    public ImmutableArray<ModelRefusal> Of(IEnumerable<SiloInfo> silos) =>
        [.. silos.Where(s => _reasons.ContainsKey(s.Worker)).Select(s => new ModelRefusal(s.Name, _reasons[s.Worker]))];

    /// <summary>True when every silo that could take the stage refuses its model.</summary>
    public bool AreAll(IEnumerable<SiloInfo> silos, StageSpec spec) =>
        silos.Where(s => !spec.HasSteps || s.Role == SiloRole.Worker).All(s => _reasons.ContainsKey(s.Worker));
}
