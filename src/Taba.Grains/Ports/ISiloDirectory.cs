using System.Collections.Immutable;
using Taba.Grains.Silos;

namespace Taba.Grains.Ports;

/// <summary>The members of the cluster as this silo sees them.</summary>
public interface ISiloDirectory
{
    ValueTask<ImmutableArray<SiloInfo>> GetAsync();

    /// <summary>The facts of one silo, by its address; null while it has not told them.</summary>
    SiloInfo? Find(string worker) => null;
}
