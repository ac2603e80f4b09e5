using System.Collections.Concurrent;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;

namespace Taba.Chaos;

/// <summary>A sweep that the scenarios disturb: the demo model, all kinds of stages, one intervention.</summary>
/// <param name="Name">Its name, and that of its file and folder.</param>
/// <param name="Samples">How many rows each stage has.</param>
/// <param name="Intervention">As a sweep file has it.</param>
sealed record ChaosSweep(string Name, int Samples, string Intervention)
{
    public const int Steps = 10;

    static readonly ConcurrentDictionary<ChaosSweep, Task<SortedDictionary<string, string>>> s_undisturbed = new();

    /// <summary>The sweep file, below the cluster's folder.</summary>
    public string File => $"{Name}.yaml";

    /// <summary>Where its run folders go, below the cluster's folder.</summary>
    public string Out => $"out-{Name}";

    public string Yaml => $$"""
        name: {{Name}}
        model: demo
        samples: {{Samples}}
        seed: 420
        num_inference_steps: {{Steps}}
        deterministic: true
        stages: [sample, invert, reconstruct]
        interventions:
          - {{Intervention}}
        """;

    /// <summary>What an embedded run, alone and in peace, makes of it.</summary>
    public Task<SortedDictionary<string, string>> UndisturbedAsync() => s_undisturbed.GetOrAdd(this, async _ =>
    {
        using var folder = new TempFolder();
        await System.IO.File.WriteAllTextAsync(folder.At(File), Yaml);
        using var run = ProgramProcess.Start(
            "undisturbed", Programs.Taba, folder.Path, [], ["run", File, "--out", Out, "--device", "cpu"]);
        var status = (await run.EndAsync(TimeSpan.FromMinutes(20))).Status;
        return status == 0 ? SweepFiles.Digests(folder.At(Out)) : throw new InvalidOperationException(
            $"The undisturbed run ended with {status}.\n{run.Errors}");
    });
}
