namespace Taba.Chaos.Scenarios;

/// <summary>Silos that stop for longer than their leases and then wake up, believing that nothing happened.</summary>
static class FreezeScenarios
{
    public static IEnumerable<Scenario> Of() =>
    [
        new("freeze", "one of three silos is stopped (SIGSTOP) for 60 s and woken", random => FreezeAsync(
            random, 1, TimeSpan.FromSeconds(60))),
        new("stale-workers", "four times a silo is stopped for longer than its lease and woken while others have its parts", random =>
            FreezeAsync(random, 4, TimeSpan.FromSeconds(20))),
    ];

    static async Task<ScenarioResult> FreezeAsync(Random random, int times, TimeSpan length)
    {
        var cluster = await Taba.Testing.Clusters.TestCluster.StartAsync();
        // Shorter than the stop, so that it ends in the meantime whatever membership thinks.
        cluster.Settings["Taba__Leases__Duration"] = "00:00:10";
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Large), ChaosRun.Workers(3), cluster);
        await run.StartClientsAsync();
        for (var i = 0; i < times; i++)
        {
            await run.ReachAsync(0.05 + 0.6 * (i + random.NextDouble()) / times);
            var living = run.Living();
            if (living.Count == 0)
                continue;
            var victim = living[random.Next(living.Count)];
            var process = run.Cluster.Silos[victim];
            process.Freeze();
            run.Disturb(victim);
            await Task.Delay(length);
            process.Thaw();
        }
        return await run.EndAsync();
    }
}
