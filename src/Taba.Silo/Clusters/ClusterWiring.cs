using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orleans.Clustering.AzureStorage;
using Orleans.Configuration;
using Orleans.Persistence;
using Orleans.Reminders.AzureStorage;
using Orleans.Storage;
using StackExchange.Redis;
using Taba.Grains;
using Taba.Silo.Faults;
using Taba.Silo.Tls;

namespace Taba.Silo.Clusters;

/// <summary>Membership, grain state and reminders of a cluster, for its silos and its clients.</summary>
static class ClusterWiring
{
    const string Invariant = "Npgsql";
    const int MissedProbes = 3;
    const int Votes = 2;
    const int RedisConnectMilliseconds = 5000;
    const int PoolSize = 8;

    /// <summary>All calls are meant to take less than 5 s: what takes longer has an unknown outcome and is asked again.</summary>
    public static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);

    static readonly TimeSpan s_aliveEvery = TimeSpan.FromSeconds(3);

    public static ISiloBuilder AddTabaCluster(this ISiloBuilder silo, TabaClusterOptions options)
    {
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId!, options.ServiceId));
        silo.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = options.ProbeTimeout;
            o.MaxProbeTimeout = options.MaxProbeTimeout;
            o.NumMissedProbesLimit = MissedProbes;
            o.NumVotesForDeathDeclaration = Votes;
            // After all silos were killed, their rows say Active until these run out.
            o.IAmAliveTablePublishTimeout = s_aliveEvery;
            o.NumMissedTableIAmAliveLimit = MissedProbes;
        });
        silo.AddIncomingGrainCallFilter<ClientCalls>();
        if (options.Credentials is { } credentials)
            silo.UseTls(options.Tls, options.TlsSection, credentials);
        silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = o.SystemResponseTimeout = ResponseTimeout);
        switch (options.Provider)
        {
            case TabaClusterOptions.Azure:
                var tables = AzureTables.Open(options);
                silo.UseAzureStorageClustering(
                    (AzureStorageClusteringOptions o) => (o.TableServiceClient, o.TableName) = (tables, AzureTables.Members));
                silo.UseAzureTableReminderService(
                    (AzureTableReminderStorageOptions o) => (o.TableServiceClient, o.TableName) = (tables, AzureTables.Reminders));
                break;
            case TabaClusterOptions.Redis:
                silo.UseRedisClustering(o => o.ConfigurationOptions = Redis(options));
                if (options.GrainStateContainer is null)
                    silo.AddRedisGrainStorage(ReadableGrainState.ProviderName, o => o.ConfigurationOptions = Redis(options));
                silo.UseRedisReminderService(o => o.ConfigurationOptions = Redis(options));
                break;
            default:
                silo.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Invariant, Postgres(options)));
                if (options.GrainStateContainer is null)
                    silo.AddAdoNetGrainStorage(
                        ReadableGrainState.ProviderName, o => (o.Invariant, o.ConnectionString) = (Invariant, Postgres(options)));
                silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (Invariant, Postgres(options)));
                break;
        }
        if (options.GrainStateContainer is { } container)
            silo.AddAzureGrainState(ReadableGrainState.ProviderName, ClusterStores.Container(options, container));
        // The providers' default is JSON with type names. Golden tests of the states hold Orleans' own form fast.
        silo.Services.AddSingleton<StateSerializer>();
        silo.Services.AddOptions<AdoNetGrainStorageOptions>(ReadableGrainState.ProviderName).PostConfigure<StateSerializer>(
            (o, s) => (o.GrainStorageSerializer, o.DeleteStateOnClear) = (s, true));
        silo.Services.AddOptions<RedisStorageOptions>(ReadableGrainState.ProviderName).PostConfigure<StateSerializer>(
            (o, s) => (o.GrainStorageSerializer, o.DeleteStateOnClear) = (s, true));
        return silo.AddReadableGrainState();
    }

    public static IClientBuilder AddTabaCluster(this IClientBuilder client, TabaClusterOptions options)
    {
        client.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId!, options.ServiceId));
        client.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = ResponseTimeout);
        if (options.Credentials is { } credentials)
            client.UseTls(options.Tls, options.TlsSection, credentials);
        // The gateway list shows when a silo is gone.
        client.Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = s_aliveEvery);
        return options.Provider switch
        {
            TabaClusterOptions.Azure => client.UseAzureStorageClustering(
                (AzureStorageGatewayOptions o) => (o.TableServiceClient, o.TableName) = (AzureTables.Open(options), AzureTables.Members)),
            TabaClusterOptions.Redis => client.UseRedisClustering(o => o.ConfigurationOptions = Redis(options)),
            _ => client.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = (Invariant, Postgres(options))),
        };
    }

    /// <exception cref="ClusterUnreachableException">Redis does not answer, or refuses.</exception>
    public static Task PingAsync(TabaClusterOptions options) => OnRedisAsync(options, redis => redis.GetDatabase().PingAsync());

    /// <summary>The clock of Redis.</summary>
    /// <exception cref="ClusterUnreachableException">Redis does not answer, or refuses.</exception>
    public static Task<DateTimeOffset> NowAsync(TabaClusterOptions options) => OnRedisAsync(
        options, async redis => new DateTimeOffset(await redis.GetServers().First(s => s.IsConnected).TimeAsync()));

    static async Task<T> OnRedisAsync<T>(TabaClusterOptions options, Func<ConnectionMultiplexer, Task<T>> ask)
    {
        try
        {
            await using var redis = await ConnectionMultiplexer.ConnectAsync(Redis(options, abortOnConnectFail: true));
            return await ask(redis);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ArgumentException)
        {
            throw new ClusterUnreachableException($"Redis cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>
    /// A silo needs few connections at a time, and PostgreSQL has 100 for all: a pool is bounded unless the settings bound it.
    /// </summary>
    /// <exception cref="ClusterUnreachableException">It is no connection string of PostgreSQL.</exception>
    public static string Postgres(TabaClusterOptions options)
    {
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(options.ConnectionString);
            if (!connection.ShouldSerialize("Maximum Pool Size"))
                connection.MaxPoolSize = PoolSize;
            return connection.ConnectionString;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            throw new ClusterUnreachableException($"PostgreSQL cannot be used: {exception.Message}", exception);
        }
    }

    static ConfigurationOptions Redis(TabaClusterOptions options, bool abortOnConnectFail = false)
    {
        var redis = ConfigurationOptions.Parse(options.ConnectionString!);
        // A server that is away for a while is waited for.
        redis.AbortOnConnectFail = abortOnConnectFail;
        redis.ConnectTimeout = RedisConnectMilliseconds;
        return redis;
    }
}
