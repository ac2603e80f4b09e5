namespace Taba.Chaos.Scenarios;

/// <summary>The command goes away; the sweep does not need it.</summary>
static class ClientScenarios
{
    public static IEnumerable<Scenario> Of() =>
        [new("client", "both commands are killed twice and given again after ten seconds", ClientAsync)];

    static async Task<ScenarioResult> ClientAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        for (var i = 0; i < 2; i++)
        {
            await run.ReachAsync(0.1 + 0.6 * (i + random.NextDouble()) / 2);
            run.KillClients();
            var before = run.Evaluations;
            await Task.Delay(TimeSpan.FromSeconds(10));
            if (run.Evaluations == before)
                run.Fault("nothing was computed while the commands were away");
            await run.StartClientsAsync();
        }
        return await run.EndAsync();
    }
}
