using System.Collections.Concurrent;
using Orleans.GrainDirectory;

namespace Taba.Grains.Placement;

/// <summary>
/// A directory of the grains that belong to a silo: parts, samples and models. Their callers are on their silo, and so is what they hold (a
/// slot, arrays). Nobody else needs to know of them. In the cluster's own directory their entries would lie on any silo, and the death of
/// that silo would end samples that run on another. Here a silo's death costs nothing but what ran on it, and a sample costs no message to
/// a second machine.
/// </summary>
/// <remarks>
/// Two silos may each have the same part: then two attempts run, and the store decides (<c>docs/design/exactly-once.md</c>).
/// </remarks>
public sealed class SiloGrainDirectory : IGrainDirectory
{
    /// <summary>Name of this directory, for <see cref="GrainDirectoryAttribute"/>.</summary>
    public const string Name = "silo";

    readonly ConcurrentDictionary<GrainId, GrainAddress> _addresses = new();

    public Task<GrainAddress?> Register(GrainAddress address) => Register(address, null);

    /// <returns>The address that stands: another activation may have been quicker.</returns>
    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Task.FromResult<GrainAddress?>(
        _addresses.AddOrUpdate(
            address.GrainId,
            static (_, given) => given.Address,
            static (_, current, given) => given.Previous is { } previous && current.Matches(previous) ? given.Address : current,
            (Address: address, Previous: previousAddress)));

    public Task Unregister(GrainAddress address)
    {
        if (_addresses.TryGetValue(address.GrainId, out var current) && current.Matches(address))
            _addresses.TryRemove(new(address.GrainId, current));
        return Task.CompletedTask;
    }

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult(_addresses.GetValueOrDefault(grainId));

    public Task UnregisterSilos(List<SiloAddress> siloAddresses)
    {
        foreach (var address in _addresses.Values.Where(a => a.SiloAddress is { } silo && siloAddresses.Contains(silo)))
            _addresses.TryRemove(new(address.GrainId, address));
        return Task.CompletedTask;
    }
}
