using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Taba.Storage.GrainState;

/// <summary>Registers <see cref="SqliteGrainStorage"/>.</summary>
public static class SqliteGrainStorageExtensions
{
    /// <summary>Keeps grain state in a SQLite file, in Orleans' binary form (JSON, the default, costs a third more).</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="name">Name of the provider, as the grains ask for it.</param>
    /// <param name="path">The file; created with its folder when it is not there.</param>
    public static ISiloBuilder AddSqliteGrainStorage(this ISiloBuilder builder, string name, string path)
    {
        builder.Services.AddGrainStorage(name, (services, _) => new SqliteGrainStorage(
            path,
            new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()),
            services.GetRequiredService<IActivatorProvider>()));
        return builder;
    }
}
