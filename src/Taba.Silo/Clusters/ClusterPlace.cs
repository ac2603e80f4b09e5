using Taba.Grains.Silos;
using Taba.Silo.Hosting;
using Taba.Storage.Objects;

namespace Taba.Silo.Clusters;

/// <summary>A silo of a cluster: tensors and checkpoints where all silos reach them, the rest in a folder of its name.</summary>
sealed class ClusterPlace(TabaClusterOptions options, string siloName, SiloRole role) : ISiloPlace
{
    public SiloRole Role => role;

    public bool GoesOnAfterFaults => true;

    public string LocalRoot { get; } = Path.Combine(Shared(options), "silos", siloName);

    public string? DigestCache => Path.Combine(LocalRoot, "digests.json");

    public IObjectStore OpenObjects() => ClusterStores.Open(options, LocalRoot);

    static string Shared(TabaClusterOptions options) =>
        options.StoreContainer is null ? options.Store : Path.Combine(PrivateFolder.Take(), options.Name);
}
