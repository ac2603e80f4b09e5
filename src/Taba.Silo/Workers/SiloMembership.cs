using Orleans.Runtime;
using Taba.Grains.Ports;

namespace Taba.Silo.Workers;

/// <summary>A worker is its silo: alive while membership does not say that it is dead or gone.</summary>
sealed class SiloMembership(IClusterMembershipService membership) : IWorkerLiveness
{
    public bool IsAlive(string worker) => membership.CurrentSnapshot.GetSiloStatus(SiloAddress.FromParsableString(worker))
        is SiloStatus.Created or SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;
}
