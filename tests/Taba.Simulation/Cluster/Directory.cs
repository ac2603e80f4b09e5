using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Cluster;

/// <summary>Which silo has which grain, for the whole cluster. What a silo had that was declared dead is forgotten.</summary>
sealed class Directory
{
    readonly Dictionary<GrainId, Activation> _entries = [];

    public Activation? Find(GrainId grain) => _entries.GetValueOrDefault(grain);

    /// <returns>The activation that has the entry now: this one, or one that was quicker.</returns>
    public Activation Register(Activation activation)
    {
        if (_entries.TryGetValue(activation.GrainId, out var other))
            return other;
        // A silo that was declared dead and does not know it yet: nobody else hears of what it makes.
        if (activation.Silo.Cluster.Membership.StatusOf(activation.Silo) == SiloStatus.Dead)
            return activation;
        return _entries[activation.GrainId] = activation;
    }

    public void Remove(Activation activation)
    {
        if (_entries.GetValueOrDefault(activation.GrainId) == activation)
            _entries.Remove(activation.GrainId);
    }

    public void Forget(SimSilo silo)
    {
        foreach (var grain in _entries.Where(e => e.Value.Silo == silo).Select(e => e.Key).ToList())
            _entries.Remove(grain);
    }
}
