using Azure.Data.Tables;
using Npgsql;
using StackExchange.Redis;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>
/// The durable reminder on real servers. Orleans has none that comes more often than each minute, for which all wait at once.
/// </summary>
public sealed class StoreUpkeepTests
{
    const string Stage = "0123456789abcdef0123456789abcdef";

    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Reminder_OfSeveralSilos_IsOneAndSweepsWhatIsOld()
    {
        Required.Here(PostgresServer.Missing, RedisServer.Missing, AzuriteServer.Missing);
        await Task.WhenAll(
            SweepsWhatIsOldAsync(TestCluster.StartAsync(), OnPostgresAsync),
            SweepsWhatIsOldAsync(TestCluster.StartOnRedisAsync(), OnRedisAsync),
            SweepsWhatIsOldAsync(TestCluster.StartOnAzureAsync(blobs: false), OnAzureAsync));
    }

    static async Task SweepsWhatIsOldAsync(Task<TestCluster> starting, Func<TestCluster, Task<long>> countReminders)
    {
        await using var cluster = await starting;
        cluster.Settings["Taba__Store__SweepEvery"] = "00:01:00";
        var old = WriteObject(cluster, "00000000-1-0f8fad5bd9cb469fa16570867728950e", TimeSpan.FromHours(25));
        var young = WriteObject(cluster, "00000032-2-1f8fad5bd9cb469fa16570867728950e", TimeSpan.FromHours(23));
        await Task.WhenAll(cluster.StartSiloAsync("w1"), cluster.StartSiloAsync("w2"), cluster.StartSiloAsync("c1", "coordinator"));

        await UntilAsync(() => !File.Exists(old), $"{old} is still there");
        await UntilAsync(() => Said(cluster).Length > 0, "no silo says what it deleted");

        Assert.True(File.Exists(young));
        Assert.Single(Said(cluster));
        Assert.Equal(1, await countReminders(cluster));
    }

    static string[] Said(TestCluster cluster) =>
        [.. cluster.Silos.Values.Where(s => s.Errors.Contains("[2201] Deleted 1 objects", StringComparison.Ordinal)).Select(s => s.Name)];

    static string WriteObject(TestCluster cluster, string attempt, TimeSpan age)
    {
        var folder = Directory.CreateDirectory(Path.Combine(cluster.StoreFolder, "store", Stage, "objects", attempt)).FullName;
        var file = Path.Combine(folder, "samples.safetensors");
        File.WriteAllBytes(file, [1]);
        var at = DateTime.UtcNow - age;
        File.SetLastWriteTimeUtc(file, at);
        Directory.SetLastWriteTimeUtc(folder, at);
        return file;
    }

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
