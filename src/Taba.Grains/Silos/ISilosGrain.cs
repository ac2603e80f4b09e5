using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Taba.Grains.Silos;

/// <summary>Says which silos there are and what they drive, to clients outside the cluster. Any silo answers; key 0.</summary>
[Alias("taba.ISilosGrain")]
public interface ISilosGrain : IGrainWithIntegerKey
{
    /// <summary>Silos that are members now.</summary>
    [ForClients, AlwaysInterleave, Alias("Get")]
    ValueTask<ImmutableArray<SiloInfo>> GetAsync();
}

/// <summary>The facts of a silo.</summary>
/// <param name="Name">The silo's name.</param>
/// <param name="Worker">Its address, by which leases know it.</param>
/// <param name="Role">Worker or coordinator.</param>
/// <param name="DeviceKind">cpu or cuda, the kind of its devices: results are equal bit for bit on one kind only.</param>
/// <param name="DeviceMemory">Bytes of a device's memory; 0 when unknown.</param>
/// <param name="BatchSize">The most rows of one forward pass of a device, while no network was found to be faster with others.</param>
/// <param name="Devices">How many devices it has.</param>
[GenerateSerializer, Immutable, Alias("taba.SiloInfo")]
public sealed record SiloInfo(
    string Name, string Worker, SiloRole Role, string DeviceKind, long DeviceMemory, int BatchSize, int Devices = 1)
{
    /// <summary>The Taba that it runs; null when that is too old to say.</summary>
    [Id(10)] public ProgramVersion? Version { get; init; }
}

/// <summary>The roles of a silo.</summary>
public enum SiloRole
{
    /// <summary>Steps trajectories on its devices, and whatever else there is to do.</summary>
    Worker,

    /// <summary>Has no device: coordinates, and passes rows through autoencoders.</summary>
    Coordinator,
}
