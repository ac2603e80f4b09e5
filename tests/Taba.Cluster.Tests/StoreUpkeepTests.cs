using Azure.Data.Tables;
using Npgsql;
using StackExchange.Redis;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;
using Taba.Testing.Stores;

namespace Taba.Cluster.Tests;

/// <summary>
/// The durable reminder on real servers. Orleans has none that comes more often than each minute, for which all wait at once.
/// </summary>
public sealed class StoreUpkeepTests
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Reminder_OfSeveralSilos_IsOneAndSweepsWhatNobodyUses()
    {
        Required.Here(PostgresServer.Missing, RedisServer.Missing, AzuriteServer.Missing);
        await Task.WhenAll(
            SweepsWhatNobodyUsesAsync(TestCluster.StartAsync(), OnPostgresAsync),
            SweepsWhatNobodyUsesAsync(TestCluster.StartOnRedisAsync(), OnRedisAsync),
            SweepsWhatNobodyUsesAsync(TestCluster.StartOnAzureAsync(blobs: false), OnAzureAsync));
    }

    static async Task SweepsWhatNobodyUsesAsync(Task<TestCluster> starting, Func<TestCluster, Task<long>> countReminders)
    {
        await using var cluster = await starting;
        cluster.Settings["Taba__Store__SweepEvery"] = "00:01:00";
        cluster.Settings["Taba__Store__ForgetAfter"] = "00:00:00";
        var store = new TensorStore(new FolderObjects(cluster.StoreFolder));
        // Their age does not matter: nobody uses the one, and a cell names the other.
        var left = await StoreExamples.PutAsync(store, StoreExamples.Attempt(rowStart: 32), [1]);
        var attempt = StoreExamples.Attempt();
        var published = await StoreExamples.PutAsync(store, attempt, [2]);
        Assert.True(await store.PublishAsync(StoreExamples.Manifest(attempt, new(0, 32), published), CancellationToken.None));
        await Task.WhenAll(cluster.StartSiloAsync("w1"), cluster.StartSiloAsync("w2"), cluster.StartSiloAsync("c1", "coordinator"));

        var orphan = Path.Combine(cluster.StoreFolder, left.Path);
        await UntilAsync(() => !File.Exists(orphan), $"{orphan} is still there");
        await UntilAsync(() => Said(cluster).Length > 0, "no silo says what it deleted");

        Assert.Equal([2], StoreExamples.ReadAll(store, published.Path));
        Assert.Single(Said(cluster));
        Assert.Equal(1, await countReminders(cluster));
    }

    static string[] Said(TestCluster cluster) =>
        [.. cluster.Silos.Values.Where(s => s.Errors.Contains("[2201] Deleted 1 objects", StringComparison.Ordinal)).Select(s => s.Name)];

    static async Task<long> OnPostgresAsync(TestCluster cluster)
    {
        await using var data = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString);
        await using var count = data.CreateCommand("SELECT count(*) FROM taba_reminder");
        return (long)(await count.ExecuteScalarAsync())!;
    }

    static async Task<long> OnRedisAsync(TestCluster cluster)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(cluster.Redis!.ConnectionString);
        return await redis.GetDatabase().SortedSetLengthAsync("taba/reminders");
    }

    static async Task<long> OnAzureAsync(TestCluster cluster) =>
        await new TableClient(cluster.Azurite!.ConnectionString, "TabaReminders").QueryAsync<TableEntity>().CountAsync();

    static async Task UntilAsync(Func<bool> happened, string otherwise)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!happened())
        {
            Assert.True(clock.Elapsed < s_limit, otherwise);
            await Task.Delay(100);
        }
    }
}
