using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Taba.Silo.GrainState;

/// <summary>Registers <see cref="BlobGrainStorage"/>.</summary>
public static class BlobGrainStorageExtensions
{
    /// <summary>Keeps grain state in a container of Azure Blob storage, in Orleans' binary form.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">Name of the provider, as the grains ask for it.</param>
    /// <param name="container">The container; created when the silo starts and it is not there.</param>
    public static ISiloBuilder AddBlobGrainStorage(this ISiloBuilder builder, string name, BlobContainerClient container)
    {
        builder.Services.AddGrainStorage(name, (services, _) => new BlobGrainStorage(
            container,
            services.GetRequiredService<IOptions<ClusterOptions>>().Value.ServiceId,
            new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()),
            services.GetRequiredService<IActivatorProvider>()));
        return builder;
    }
}
