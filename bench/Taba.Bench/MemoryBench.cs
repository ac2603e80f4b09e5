using System.Diagnostics;
using Taba.Silo.Models;

namespace Taba.Bench;

/// <summary>Runs the real command for each size in a process of its own and samples its anonymous memory.</summary>
sealed class MemoryBench(string model, int[] sizes, int steps)
{
    static readonly TimeSpan s_sampleEvery = TimeSpan.FromMilliseconds(50);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        Console.WriteLine("| samples | peak anonymous memory, MiB | seconds |");
        Console.WriteLine("|---|---|---|");
        foreach (var samples in sizes)
        {
            var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
            try
            {
                var clock = Stopwatch.StartNew();
                var peak = await PeakAsync(samples, folder, cancellationToken);
                Console.WriteLine($"| {samples} | {peak / (double)(1 << 20):F0} | {clock.Elapsed.TotalSeconds:F0} |");
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        return 0;
    }

    /// <summary>The most, in bytes.</summary>
    async Task<long> PeakAsync(int samples, string folder, CancellationToken cancellationToken)
    {
        var start = RealRun.Start(
            "sample", ModelCatalogue.Define(new(model)).Family, "--model", model, "--n_samples", $"{samples}", "--num_inference_steps",
            $"{steps}", "--with_inversion", "--batch_size", "16", "--save_dir", Path.Combine(folder, "run"));
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        long peak = 0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, AnonymousPeak.Of($"{process.Id}"));
            await Task.Delay(s_sampleEvery, cancellationToken);
        }
        await output;
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"taba ended with status {process.ExitCode}: {await errors}");
        return peak;
    }
}
