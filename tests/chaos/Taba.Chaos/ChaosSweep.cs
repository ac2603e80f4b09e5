using System.Collections.Concurrent;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;

namespace Taba.Chaos;

/// <summary>The sweep that the scenarios disturb: the demo model, all kinds of stages, one intervention.</summary>
sealed class ChaosSweep(int samples)
{
    const int Steps = 10;
    const int Replaced = 3;

    static readonly ConcurrentDictionary<int, Task<SortedDictionary<string, string>>> s_undisturbed = new();

    public string Yaml => $$"""
        name: chaos
        model: demo
        samples: {{samples}}
        seed: 420
        num_inference_steps: {{Steps}}
        deterministic: true
        stages: [sample, invert, reconstruct]
        interventions:
          - forward: { before: {{Replaced}}, seed: 999 }
        """;

    /// <summary>Evaluations of an undisturbed run: sample, two inversions, two reconstructions.</summary>
    public long Planned => (long)samples * (5 * Steps - Replaced);

    /// <summary>What an embedded run, alone and in peace, makes of it.</summary>
    public Task<SortedDictionary<string, string>> UndisturbedAsync() => s_undisturbed.GetOrAdd(samples, async _ =>
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.At("sweep.yaml"), Yaml);
        using var run = ProgramProcess.Start(
            "undisturbed", Programs.Taba, folder.Path, [], ["run", "sweep.yaml", "--out", "out", "--device", "cpu"]);
        var status = (await run.EndAsync(TimeSpan.FromMinutes(20))).Status;
        return status == 0 ? SweepFiles.Digests(folder.At("out")) : throw new InvalidOperationException(
            $"The undisturbed run ended with {status}.\n{run.Errors}");
    });
}
