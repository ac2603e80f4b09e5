using Azure.Storage.Blobs;
using Taba.Silo.Checkpoints;
using Taba.Silo.Outputs;
using Taba.Silo.Storage;

namespace Taba.Silo.Clusters;

/// <summary>The stores that a cluster's settings name.</summary>
public static class ClusterStores
{
    /// <summary>The tensor store.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="scratch">A folder of this process for what is not finished, where the store is not a folder itself.</param>
    /// <param name="copies">Whether objects that are read may be copied there.</param>
    /// <exception cref="StoreException">It cannot be reached.</exception>
    public static ITensorStore Open(TabaClusterOptions options, string scratch, bool copies = true) =>
        options.StoreContainer is { } container
        ? new BlobTensorStore(Container(options, container), scratch, copies)
        : new FolderTensorStore(options.Store);

    /// <summary>An output folder beside the tensors, in their container.</summary>
    /// <param name="options">A cluster whose tensors are in one.</param>
    /// <param name="place">blob:PREFIX</param>
    public static IOutputFolder OpenOutput(TabaClusterOptions options, string place) =>
        BlobFolder.At(Container(options, options.StoreContainer!), place);

    /// <summary>Makes what the store needs before its first use.</summary>
    /// <exception cref="StoreException">It cannot be reached.</exception>
    public static async Task PrepareAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
        foreach (var container in new[] { options.StoreContainer, options.GrainStateContainer }.OfType<string>().Distinct())
            await Container(options, container).CreateIfMissingAsync(cancellationToken);
    }

    internal static BlobContainerClient Container(TabaClusterOptions options, string name) =>
        BlobContainers.Open(name, options.AzureConnectionString, options.AzureAccountUri is { } uri ? new Uri(uri) : null);

    /// <summary>Checkpoints lie where the tensors do, so that a silo of another machine goes on from them.</summary>
    internal static SegmentCheckpointStore OpenCheckpoints(
        TabaClusterOptions options, string worker, CheckpointOptions checkpoints, TimeProvider time) =>
        options.StoreContainer is { } container
            ? SegmentCheckpointStore.Shared(Container(options, container), worker, checkpoints, time)
            : SegmentCheckpointStore.Shared(options.Store, worker, checkpoints, time);
}
