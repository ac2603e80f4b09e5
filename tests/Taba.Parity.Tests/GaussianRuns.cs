using System.Globalization;
using System.Text.Json;
using Taba.Diffusion.Native;
using Taba.Testing;
using Taba.Testing.Client;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>Sweeps of Gaussian models by the real command, run once for all tests: every stage and intervention at several T.</summary>
public sealed class GaussianRuns : IAsyncLifetime
{
    public const int Samples = 6;
    public const int Channels = 3;
    public const int Side = 4;
    public const long Seed = 420;
    public const long ForwardSeed = 999;

    /// <summary>K of the interventions.</summary>
    public static readonly int[] Before = [1, 3];

    readonly TempFolder _folder = new();

    /// <summary>The sweeps, by name.</summary>
    internal static IReadOnlyList<GaussianSweep> All { get; } =
    [
        new("narrow", 1000, Cosine: false, [0.2, -0.1, 0.05], 0.1, [10, 100, 1000]),
        new("narrow-cosine", 4000, Cosine: true, [0.2, -0.1, 0.05], 0.1, [10, 100, 1000]) { FlowOnly = true },
        new("wide", 1000, Cosine: false, [0.2, -0.1, 0.05], 1, [10, 100, 1000]),
        new("cosine", 4000, Cosine: true, [0.1, 0, -0.2], 0.5, [10, 100]),
    ];

    /// <summary>ε of forward replacement and x_T are torch.randn of these seeds.</summary>
    internal static float[] Noise(long seed)
    {
        TorchRuntime.Initialize();
        using var generator = new Generator((ulong)seed, CPU);
        using var drawn = randn([Samples, Channels, Side, Side], ScalarType.Float32, CPU, generator: generator);
        return drawn.data<float>().ToArray();
    }

    internal static GaussianSweep Find(string name) => All.Single(sweep => sweep.Name == name);

    /// <summary>The folder of a run.</summary>
    /// <param name="sweep">Which sweep.</param>
    /// <param name="numInferenceSteps">T.</param>
    /// <param name="intervention">Empty for the plain run, else the run's suffix, such as _swap_eps_before1.</param>
    internal string Folder(GaussianSweep sweep, int numInferenceSteps, string intervention) =>
        _folder.At($"out/{sweep.Name}/{sweep.Name}_T{numInferenceSteps}_seed{Seed}{intervention}");

    public async ValueTask InitializeAsync()
    {
        foreach (var sweep in All)
        {
            Directory.CreateDirectory(_folder.At(sweep.Name));
            await File.WriteAllTextAsync(_folder.At($"{sweep.Name}/model.json"), JsonSerializer.Serialize(new
            {
                family = "gaussian",
                channels = Channels,
                image_size = Side,
                mean = sweep.Mean,
                deviation = sweep.Deviation,
                diffusion_steps = sweep.DiffusionSteps,
                noise_schedule = sweep.Cosine ? "cosine" : "linear",
                rescale_timesteps = sweep.Cosine,
            }));
            var file = _folder.At($"{sweep.Name}.yaml");
            // Batches of 4 leave a partial one of 2.
            await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $$"""
                model: {{sweep.Name}}/model.json
                samples: {{Samples}}
                seed: {{Seed}}
                num_inference_steps: [{{string.Join(", ", sweep.Steps)}}]
                stages: [sample, invert, reconstruct]
                batch_size: 4
                {{(sweep.FlowOnly ? "" : $$"""
                internal: true
                interventions:
                  - swap: { type: [eps, xt], before: [{{string.Join(", ", sweep.SwapBefore)}}] }
                  - forward: { before: [{{string.Join(", ", Before)}}], seed: {{ForwardSeed}} }
                """)}}

                """));
            await InProcess.DoneAsync("run", file, "--out", _folder.At("out"));
        }
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A sweep of one Gaussian model.</summary>
/// <param name="Name">Of the sweep and the model.</param>
/// <param name="Mean">Of each channel.</param>
/// <param name="Deviation">Of every pixel.</param>
/// <param name="Steps">T; the smallest first, which is also a K of the swaps.</param>
sealed record GaussianSweep(string Name, int DiffusionSteps, bool Cosine, double[] Mean, double Deviation, int[] Steps)
{
    /// <summary>
    /// Only compared with the flow. At the lowest ᾱ of 4000 cosine steps, 1e-7, the rounding of eps to float32 alone moves x̂0 by 1e-4,
    /// so that the tolerance of the recurrence cannot hold there.
    /// </summary>
    public bool FlowOnly { get; init; }

    /// <summary>K of the swaps: the last replaces every step of the shortest run.</summary>
    public int[] SwapBefore => [.. GaussianRuns.Before, Steps[0]];
}
