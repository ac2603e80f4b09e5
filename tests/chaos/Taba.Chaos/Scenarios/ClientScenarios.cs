namespace Taba.Chaos.Scenarios;

/// <summary>The command goes away; the sweep does not need it.</summary>
static class ClientScenarios
{
    public static IEnumerable<Scenario> Of() =>
        [new("client", "the command is killed twice; the same command is given again ten seconds later", ClientAsync)];

    static async Task<ScenarioResult> ClientAsync(Random random)
    {
        await using var run = await ChaosRun.StartAsync(new ChaosSweep(128), ChaosRun.Workers(3));
        var client = run.StartClient();
        for (var i = 0; i < 2; i++)
        {
            await run.ReachAsync(0.1 + 0.6 * (i + random.NextDouble()) / 2);
            client.Kill();
            var before = run.Evaluations;
            await Task.Delay(TimeSpan.FromSeconds(10));
            if (run.Evaluations == before)
                run.Fault("nothing was computed while the command was away");
            client = run.StartClient();
        }
        return await run.EndAsync(client);
    }
}
