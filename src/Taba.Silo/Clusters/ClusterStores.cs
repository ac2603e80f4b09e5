using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;

namespace Taba.Silo.Clusters;

/// <summary>The stores that a cluster's settings name.</summary>
public static class ClusterStores
{
    /// <summary>The tensor store.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="scratch">A folder of this process for what is not finished, where the store is not a folder itself.</param>
    /// <exception cref="StoreException">It cannot be reached.</exception>
    public static ITensorStore Open(ClusterOptions options, string scratch) => options.StoreContainer is { } container
        ? throw new NotSupportedException($"{container} {scratch}")
        : new FolderTensorStore(options.Store);

    internal static SegmentCheckpointStore OpenCheckpoints(ClusterOptions options, string worker, CheckpointOptions checkpoints, TimeProvider time) =>
        SegmentCheckpointStore.Shared(options.Store, worker, checkpoints, time);
}
