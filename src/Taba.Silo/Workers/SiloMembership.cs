using System.Collections.Immutable;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Taba.Grains.Ports;
using Taba.Grains.Silos;

namespace Taba.Silo.Workers;

/// <summary>
/// The silos that there are, as this one sees them. A worker is its silo: alive while membership does not say that it is dead or gone.
/// </summary>
sealed class SiloMembership(IClusterMembershipService membership, ISiloMetadataCache metadata) : IWorkerLiveness, ISiloDirectory
{
    public bool IsAlive(string worker) => membership.CurrentSnapshot.GetSiloStatus(SiloAddress.FromParsableString(worker))
        is SiloStatus.Created or SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;

    public long Version => membership.CurrentSnapshot.Version.Value;

    public SiloInfo? Find(string worker)
    {
        var silo = SiloAddress.FromParsableString(worker);
        return SiloFacts.Read(silo, metadata.GetSiloMetadata(silo));
    }

    public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => new(
    [
        .. membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == SiloStatus.Active)
            .Select(m => SiloFacts.Read(m.SiloAddress, metadata.GetSiloMetadata(m.SiloAddress)))
            .OfType<SiloInfo>()
            .OrderBy(s => s.Name, StringComparer.Ordinal),
    ]);
}
