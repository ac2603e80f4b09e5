using Taba.Storage.RunFolders;
using Azure.Storage.Blobs;
using Taba.Storage.Checkpoints;
using Taba.Silo.Outputs;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Clusters;

/// <summary>The stores that a cluster's settings name.</summary>
public static class ClusterStores
{
    /// <summary>The place of tensors and checkpoints. Silos of other machines go on from them.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="scratch">A folder of this process for what is not finished, where the store is not a folder itself.</param>
    /// <param name="copies">Whether objects that are read may be copied there.</param>
    /// <exception cref="StoreException">It cannot be reached.</exception>
    public static IObjectStore Open(TabaClusterOptions options, string scratch, bool copies = true) =>
        options.StoreContainer is { } container
            ? new BlobObjects(Container(options, container), scratch, copies)
            : new FolderObjects(options.Store);

    /// <summary>Makes what the store needs before its first use, and tests what it relies on.</summary>
    /// <exception cref="StoreException">It cannot be reached, or lacks what a store relies on.</exception>
    /// <exception cref="BadInputException">An older Taba made it.</exception>
    public static async Task PrepareAsync(TabaClusterOptions options, CancellationToken cancellationToken)
    {
        foreach (var container in new[] { options.StoreContainer, options.GrainStateContainer }.OfType<string>().Distinct())
            await Container(options, container).CreateIfMissingAsync(cancellationToken);
        var scratch = Path.Combine(PrivateFolder.Take(), $"{options.Name}-start-{Guid.NewGuid():N}");
        var objects = Open(options, scratch);
        try
        {
            await StoreLayout.PrepareAsync(objects, cancellationToken);
        }
        finally
        {
            (objects as IDisposable)?.Dispose();
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
        }
    }

    internal static BlobContainerClient Container(TabaClusterOptions options, string name) =>
        BlobContainers.Open(name, options.AzureConnectionString, options.AzureAccountUri is { } uri ? new Uri(uri) : null);
}
