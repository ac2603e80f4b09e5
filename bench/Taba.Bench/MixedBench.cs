using System.Text.Json;
using Taba.Silo.Models;

namespace Taba.Bench;

/// <summary>
/// A sweep over three networks of different sizes with the first K = 1 .. 10 inversion steps replaced: is the device busy, is each model
/// loaded once, and are there as many evaluations as the plan says?
/// </summary>
/// <param name="device">As <c>--device</c>.</param>
/// <param name="samples">Of each model.</param>
/// <param name="steps">T, more than ten.</param>
sealed class MixedBench(string device, int samples, int steps)
{
    const int MostReplaced = 10;

    const int LargeChannels = 128, MiddleChannels = 64;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
        try
        {
            var (large, middle) = (Model("large", LargeChannels, folder), Model("middle", MiddleChannels, folder));
            var sweep = Path.Combine(folder, "mixed.yaml");
            await File.WriteAllTextAsync(
                sweep,
                $"""
                name: mixed
                model: [demo, {middle}, {large}]
                samples: {samples}
                num_inference_steps: {steps}
                stages: [sample, invert]
                interventions:
                  - forward: {JsonSerializer.Serialize(new { before = Enumerable.Range(1, MostReplaced), seed = 999 })}
                """,
                cancellationToken);
            var output = Path.Combine(folder, "out");
            var (_, plan) = await RealRun.DoneAsync(cancellationToken, "plan", sweep, "--device", device, "--out", output);
            var (seconds, last) = await RealRun.DoneAsync(cancellationToken, "run", sweep, "--device", device, "--out", output);
            RunsBench.WriteHead();
            Console.WriteLine(RunsBench.Row($"three models, K = 1 .. {MostReplaced}, T = {steps}, N = {samples}", seconds, last));
            Console.WriteLine();
            Console.WriteLine($"planned: {(double)plan["evaluations_of_all_stages"]!:N0} evaluations");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>ADM-32 in its own width or another one, with drawn weights.</summary>
    static string Model(string name, int channels, string folder)
    {
        var path = Path.Combine(folder, $"{name}.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new
        {
            family = "adm", weights = $"{name}.safetensors", image_size = 32, num_channels = channels, num_res_blocks = 3, num_heads = 4,
            attention_resolutions = "16,8", use_scale_shift_norm = true, learn_sigma = true, diffusion_steps = 4000,
            noise_schedule = "cosine", rescale_timesteps = true,
        }));
        BenchModel.DrawWeights(ModelCatalogue.Define(new(path)), Path.Combine(folder, $"{name}.safetensors"));
        return path;
    }
}
