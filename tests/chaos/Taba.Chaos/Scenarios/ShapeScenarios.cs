using Taba.Testing;
using Taba.Testing.Clusters;

namespace Taba.Chaos.Scenarios;

/// <summary>Nothing goes wrong; the cluster or the command has another shape.</summary>
static class ShapeScenarios
{
    const int Samples = 56;
    const int Parts = 7;
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    static readonly string[] s_command =
    [
        "sample", "adm", "--model", "demo", "--n_samples", $"{Samples}", "--num_inference_steps", "10", "--with_inversion",
        "--with_reconstruction",
        "--seed", "420", "--deterministic", "--format", "safetensors",
    ];

    public static IEnumerable<Scenario> Of() =>
    [
        .. new[] { 1, 2, 4 }.Select(silos => new Scenario($"silos-{silos}", $"{silos} silos, in peace", _ => SilosAsync(silos))),
        new("parts", $"`taba sample adm` in {Parts} parts on two silos, merged, against the unsplit command", _ => PartsAsync()),
    ];

    static async Task<ScenarioResult> SilosAsync(int silos)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Small), ChaosRun.Workers(silos));
        await run.StartClientsAsync();
        return await run.EndAsync();
    }

    /// <summary>
    /// Each part is a sweep of its own, and they come one after the other, as upstream's scripts give them: two at a time would be two
    /// commands for one folder.
    /// </summary>
    static async Task<ScenarioResult> PartsAsync()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.StartSiloAsync("w1");
        await cluster.StartSiloAsync("w2");
        string[] clustered = [.. s_command, "--cluster", TestCluster.Name];
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var part = 0; part < Parts; part++)
            await cluster.RunClientAsync(s_limit, [.. clustered, "--n_parts", $"{Parts}", "--part_idx", $"{part}", "--save_dir", "piece"]);
        await cluster.RunClientAsync(
            s_limit, ["merge", .. Enumerable.Range(0, Parts).Select(p => $"piece_part_{p}"), "--save_dir", "merged"]);
        var wall = clock.Elapsed;
        await cluster.RunClientAsync(s_limit, [.. s_command, "--device", "cpu", "--save_dir", "whole"]);
        return new(
            SweepFiles.Differences(Tensors(cluster, "whole"), Tensors(cluster, "merged")))
        { Wall = wall };
    }

    /// <summary>A merged folder's metrics name what they were merged from.</summary>
    static SortedDictionary<string, string> Tensors(TestCluster cluster, string folder)
    {
        var digests = SweepFiles.Digests(Path.Combine(cluster.Folder, folder));
        digests.Remove("metrics.json");
        return digests;
    }
}
