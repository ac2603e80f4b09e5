using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Taba.Grains.Silos;
using Taba.Silo.Checkpoints;
using Taba.Silo.Hosting;
using Taba.Silo.Storage;

namespace Taba.Silo.Clusters;

/// <summary>A silo of a cluster: tensors and checkpoints where all silos reach them, the rest in a folder of its name.</summary>
sealed class ClusterPlace(TabaClusterOptions options, string siloName, SiloRole role) : ISiloPlace
{
    public SiloRole Role => role;

    public bool GoesOnAfterFaults => true;

    public string LocalRoot { get; } = Path.Combine(Shared(options), "silos", siloName);

    public string? DigestCache => Path.Combine(LocalRoot, "digests.json");

    public ITensorStore OpenStore(IServiceProvider services) => ClusterStores.Open(options, LocalRoot);

    public SegmentCheckpointStore OpenCheckpoints(IServiceProvider services) => ClusterStores.OpenCheckpoints(
        options, services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString(),
        services.GetRequiredService<IOptions<CheckpointOptions>>().Value, services.GetRequiredService<TimeProvider>());

    static string Shared(TabaClusterOptions options) =>
        options.StoreContainer is null ? options.Store : Path.Combine(PrivateFolder.Take(), options.Name);
}
