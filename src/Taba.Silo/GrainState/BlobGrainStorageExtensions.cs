using Azure.Storage.Blobs;
#if ORLEANS_AZURE
using Azure.Storage.Blobs.Specialized;
#endif
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Taba.Silo.GrainState;

/// <summary>
/// Registers <see cref="BlobGrainStorage"/>, or, where the build asked for it, the provider of Orleans (docs/guide/azure.md).
/// </summary>
public static class BlobGrainStorageExtensions
{
    /// <summary>Keeps grain state in a container of Azure Blob storage, in Orleans' binary form.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">Name of the provider, as the grains ask for it.</param>
    /// <param name="container">The container; created when the silo starts and it is not there.</param>
    public static ISiloBuilder AddBlobGrainStorage(this ISiloBuilder builder, string name, BlobContainerClient container) =>
#if ORLEANS_AZURE
        builder.AddAzureBlobGrainStorage(
            name,
            (OptionsBuilder<AzureBlobStorageOptions> options) => options.Configure<Serializer>((o, serializer) =>
            {
                (o.BlobServiceClient, o.ContainerName) = (container.GetParentBlobServiceClient(), container.Name);
                o.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
            }));
#else
        builder.ConfigureServices(all => all.AddGrainStorage(name, (services, _) => new BlobGrainStorage(
            container,
            services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId,
            new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()),
            services.GetRequiredService<IActivatorProvider>())));
#endif
}
