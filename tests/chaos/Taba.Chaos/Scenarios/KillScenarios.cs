namespace Taba.Chaos.Scenarios;

/// <summary>Silos that die at once, with nothing said.</summary>
static class KillScenarios
{
    const int Kills = 20;

    public static IEnumerable<Scenario> Of() =>
    [
        new("kills", $"{Kills} random `kill -9` of one of three silos, each begun again after a second", KillsAsync),
        new("coordinator", "the silo that coordinates is killed three times; two others compute", CoordinatorAsync),
        new("kill-all", "all three silos are killed at once, twice, and begun again after ten seconds", KillAllAsync),
    ];

    static async Task<ScenarioResult> KillsAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new ChaosSweep(256), ChaosRun.Workers(3));
        var client = run.StartClient();
        for (var kill = 0; kill < Kills; kill++)
        {
            await run.ReachAsync(0.02 + 0.93 * (kill + random.NextDouble()) / Kills);
            var living = run.Cluster.Silos.Where(s => !s.Value.HasExited).Select(s => s.Key).Order(StringComparer.Ordinal).ToList();
            if (living.Count > 0)
                run.Kill(living[random.Next(living.Count)]);
        }
        return await run.EndAsync(client);
    }

    static async Task<ScenarioResult> CoordinatorAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new ChaosSweep(128), [("c1", "coordinator"), .. ChaosRun.Workers(2)]);
        var client = run.StartClient();
        for (var kill = 0; kill < 3; kill++)
        {
            await run.ReachAsync(0.1 + 0.75 * (kill + random.NextDouble()) / 3);
            run.Kill("c1");
        }
        return await run.EndAsync(client);
    }

    static async Task<ScenarioResult> KillAllAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new ChaosSweep(64), ChaosRun.Workers(3));
        var client = run.StartClient();
        for (var kill = 0; kill < 2; kill++)
        {
            await run.ReachAsync(0.1 + 0.7 * (kill + random.NextDouble()) / 2);
            run.LeaveDown = true;
            foreach (var silo in run.Cluster.Silos.Values)
                silo.Kill();
            await Task.Delay(TimeSpan.FromSeconds(10));
            // From here on there is something that can recover.
            run.Disturb(run.Cluster.Silos.Keys);
            run.LeaveDown = false;
        }
        return await run.EndAsync(client, "recovery counted from the restart");
    }
}
