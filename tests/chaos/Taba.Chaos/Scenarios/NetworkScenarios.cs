using Taba.Testing.Clusters;

namespace Taba.Chaos.Scenarios;

/// <summary>Silos that live and compute, but do not reach each other.</summary>
static class NetworkScenarios
{
    static readonly TimeSpan s_apart = TimeSpan.FromSeconds(45);

    public static IEnumerable<Scenario> Of() =>
    [
        new("split", "one of three silos does not reach the others for 45 s, but PostgreSQL and the store", random => RunAsync(
            random, (n, s) => n.Separate(s), (n, s) => n.Reunite(s))),
        new("cut-off", "one of three silos reaches nothing but the store's folder for 45 s", random => RunAsync(
            random, (n, s) => n.CutOff(s), (n, s) => n.Join(s))),
    ];

    static async Task<ScenarioResult> RunAsync(Random random, Action<SiloNetworks, string> part, Action<SiloNetworks, string> heal)
    {
        using var networks = new SiloNetworks();
        var cluster = await TestCluster.StartAsync(address: SiloNetworks.Host);
        cluster.Place = name => name == "client" ? (SiloNetworks.Host, []) : networks.Of(name);
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Large), ChaosRun.Workers(3), cluster);
        await run.StartClientsAsync();
        await run.ReachAsync(0.1 + 0.2 * random.NextDouble());
        var victim = $"w{random.Next(1, 4)}";
        part(networks, victim);
        run.Disturb(victim);
        await Task.Delay(s_apart);
        heal(networks, victim);
        run.Note($"victim {victim}");
        return await run.EndAsync();
    }
}
