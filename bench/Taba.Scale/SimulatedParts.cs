using System.Collections.Concurrent;
using Taba.Grains.Stages;

namespace Taba.Scale;

/// <summary>The parts that a simulated silo has in hand.</summary>
sealed class SimulatedParts
{
    readonly ConcurrentDictionary<Guid, PartLease> _leases = new();

    public void Add(PartLease lease) => _leases[lease.Attempt.Id] = lease;

    public PartLease? Find(PartAttempt attempt) => _leases.GetValueOrDefault(attempt.Id);

    public PartLease? Remove(PartAttempt attempt) => _leases.TryRemove(attempt.Id, out var lease) ? lease : null;
}
