using Taba.Testing;
using Taba.Testing.Clusters;

namespace Taba.Chaos.Scenarios;

/// <summary>What the silos stand on goes away and comes back.</summary>
static class ServerScenarios
{
    static readonly TimeSpan s_down = TimeSpan.FromSeconds(15);

    public static IEnumerable<Scenario> Of() =>
    [
        new("postgres", "PostgreSQL is stopped for 15 s, twice", PostgresAsync),
        new("azurite", "tensors in Azurite, which is stopped for 15 s, twice",
            async random => await AzuriteAsync(random, await TestCluster.StartAsync(azurite: true))),
        new("azure", "members, states and tensors in Azurite, which is stopped for 15 s, twice",
            async random => await AzuriteAsync(random, await TestCluster.StartOnAzureAsync())),
        new("store-full", "the store's disk is full for 15 s", StoreFullAsync),
    ];

    static async Task<ScenarioResult> PostgresAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        for (var i = 0; i < 2; i++)
        {
            await run.ReachAsync(0.1 + 0.7 * (i + random.NextDouble()) / 2);
            await run.Cluster.Postgres.StopAsync();
            await Task.Delay(s_down);
            await run.Cluster.Postgres.StartAgainAsync();
        }
        return await run.EndAsync();
    }

    static async Task<ScenarioResult> AzuriteAsync(Random random, TestCluster cluster)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3), cluster);
        await run.StartClientsAsync();
        for (var i = 0; i < 2; i++)
        {
            await run.ReachAsync(0.1 + 0.7 * (i + random.NextDouble()) / 2);
            await cluster.Azurite!.StopAsync();
            await Task.Delay(s_down);
            await cluster.Azurite.StartAgainAsync();
        }
        return await run.EndAsync();
    }

    static async Task<ScenarioResult> StoreFullAsync(Random random)
    {
        var cluster = await TestCluster.StartAsync();
        using var folder = new TempFolder();
        cluster.StoreFolder = folder.At("disk");
        using var disk = SmallDisk.TryMount(cluster.StoreFolder, 64 << 10, out var reason) ?? throw new InvalidOperationException(reason);
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3), cluster);
        await run.StartClientsAsync();
        await run.ReachAsync(0.2 + 0.4 * random.NextDouble());
        disk.Fill();
        await Task.Delay(s_down);
        disk.MakeRoom();
        return await run.EndAsync();
    }
}
