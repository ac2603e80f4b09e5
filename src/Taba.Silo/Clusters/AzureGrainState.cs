using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Storage;
using Taba.Silo.Faults;

namespace Taba.Silo.Clusters;

/// <summary>
/// Grain state in a container of Azure Blob storage, by the provider of Orleans: a blob for each state, whose ETag is the state's. The
/// provider names its blobs by state and grain alone; here they are below <c>grains/SERVICE/</c>, so that services can share a container,
/// and one with tensors.
/// </summary>
static class AzureGrainState
{
    /// <param name="silo">The silo.</param>
    /// <param name="name">Name of the provider, as the grains ask for it.</param>
    /// <param name="container">Made when it is not there.</param>
    public static ISiloBuilder AddAzureGrainState(this ISiloBuilder silo, string name, BlobContainerClient container) =>
        silo.AddAzureBlobGrainStorage(name, (OptionsBuilder<AzureBlobStorageOptions> builder) =>
            builder.Configure<IOptions<ClusterOptions>, StateSerializer>(
                (o, cluster, serializer) => Configure(o, container, cluster.Value.ServiceId, serializer)));

    internal static void Configure(
        AzureBlobStorageOptions options, BlobContainerClient container, string serviceId, IGrainStorageSerializer serializer)
    {
        options.ContainerName = container.Name;
        options.BlobServiceClient = container.GetParentBlobServiceClient();
        options.BuildContainerFactory = (_, _) => new OneContainer(new ServiceContainer(container, serviceId));
        options.GrainStorageSerializer = serializer;
        // A blob without bytes stays, so that a writer from before the clear cannot pass for one from after it.
        options.DeleteStateOnClear = false;
    }

    sealed class OneContainer(ServiceContainer container) : IBlobContainerFactory
    {
        public BlobContainerClient GetBlobContainerClient(GrainId grainId) => container;

        public async Task InitializeAsync(BlobServiceClient client) => await container.CreateIfNotExistsAsync();
    }

    /// <summary>What the provider uses of a container, with the service in front of every name.</summary>
    sealed class ServiceContainer(BlobContainerClient container, string serviceId) : BlobContainerClient
    {
        readonly string _prefix = $"grains/{Escape(serviceId)}/";

        public override string Name => container.Name;

        public override BlobClient GetBlobClient(string blobName) => container.GetBlobClient(_prefix + Escape(blobName));

        public override Task<Response<BlobContainerInfo>> CreateIfNotExistsAsync(
            PublicAccessType publicAccessType = default, IDictionary<string, string>? metadata = null,
            BlobContainerEncryptionScopeOptions? encryptionScopeOptions = null, CancellationToken cancellationToken = default) =>
            container.CreateIfNotExistsAsync(publicAccessType, metadata, encryptionScopeOptions, cancellationToken);

        /// <summary>Nothing in a name may look like a folder or a step up.</summary>
        static string Escape(string text) => Uri.EscapeDataString(text).Replace(".", "%2E", StringComparison.Ordinal);
    }
}
