using System.Collections.Immutable;
using Taba.Grains.Silos;

namespace Taba.Grains.Ports;

/// <summary>The members of the cluster as this silo sees them.</summary>
public interface ISiloDirectory
{
    ValueTask<ImmutableArray<SiloInfo>> GetAsync();
}
