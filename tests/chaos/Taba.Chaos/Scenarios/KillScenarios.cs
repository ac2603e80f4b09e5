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
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Large), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        for (var kill = 0; kill < Kills; kill++)
        {
            await run.ReachAsync(0.02 + 0.93 * (kill + random.NextDouble()) / Kills);
            run.KillAny(random);
        }
        return await run.EndAsync();
    }

    static async Task<ScenarioResult> CoordinatorAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), [("c1", "coordinator"), .. ChaosRun.Workers(2)]);
        await run.StartClientsAsync();
        for (var kill = 0; kill < 3; kill++)
        {
            await run.ReachAsync(0.1 + 0.75 * (kill + random.NextDouble()) / 3);
            run.Kill("c1");
        }
        return await run.EndAsync();
    }

    static async Task<ScenarioResult> KillAllAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Small), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        for (var kill = 0; kill < 2; kill++)
        {
            await run.ReachAsync(0.1 + 0.7 * (kill + random.NextDouble()) / 2);
            await run.KillAllAsync(TimeSpan.FromSeconds(10));
        }
        run.Note("recovery counted from the restart");
        return await run.EndAsync();
    }
}
