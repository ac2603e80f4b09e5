using System.Diagnostics;
using Taba.Diffusion.Native;
using Taba.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>
/// <c>taba measure</c> over a large run beside a plain computation of the same in TorchSharp, which holds whole tensors: correlations in
/// patches of noise, latents and samples, distances, and masks of plain areas. Each in a process of its own, whose peak is all of its
/// resident memory.
/// </summary>
sealed class MeasureBench(int rows, int side)
{
    const int Patch = 8;
    const int Strongest = 20;
    const float Threshold = 0.025f;

    static readonly TimeSpan s_sampleEvery = TimeSpan.FromMilliseconds(20);
    static readonly string[] s_tensors = ["noise", "samples", "latents"];

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
        try
        {
            for (var i = 0; i < s_tensors.Length; i++)
                Write(Path.Combine(folder, $"{s_tensors[i]}.pt"), (ulong)i);
            Console.WriteLine("| what | peak of the process, MiB | seconds |");
            Console.WriteLine("|---|---|---|");
            string[] measure = [Path.Combine(AppContext.BaseDirectory, "taba.dll"), "measure", folder, "--json"];
            foreach (var metrics in new[] { "correlation", "geometry", "plain-areas", "correlation,geometry,plain-areas" })
                await ShowAsync($"taba measure --metrics {metrics}", [.. measure, "--metrics", metrics], cancellationToken);
            string[] plain = [Path.Combine(AppContext.BaseDirectory, "taba-bench.dll"), "measure", "--plain", folder];
            await ShowAsync("plain TorchSharp, all three", plain, cancellationToken);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What a person would write: tensors in memory, upstream's formulas.</summary>
    public static int Plain(string folder)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var all = s_tensors.ToDictionary(name => name, name => Load(Path.Combine(folder, $"{name}.pt"), name));
        foreach (var name in s_tensors)
            Console.WriteLine($"correlation.{name}.mean {Correlation(all[name]):G9}");
        var (noise, samples, latents) = (all["noise"].flatten(1), all["samples"].flatten(1), all["latents"].flatten(1));
        foreach (var (name, a, b) in new[]
        {
            ("image_latent", samples, latents), ("image_noise", samples, noise), ("noise_latent", noise, latents),
        })
        {
            using var inner = NewDisposeScope();
            Console.WriteLine($"distance {name} {(a - b).norm(1).mean().item<float>():G9}");
        }

        var mask = PlainMask(all["samples"]);
        var error = (all["latents"] - all["noise"]).abs();
        var wide = mask.unsqueeze(1).expand_as(error);
        Console.WriteLine($"plain-areas.plain_fraction {mask.to(ScalarType.Float64).mean().item<double>():G9}");
        Console.WriteLine($"plain-areas.plain.error {error.masked_select(wide).mean().item<float>():G9}");
        Console.WriteLine($"plain-areas.other.error {error.masked_select(wide.logical_not()).mean().item<float>():G9}");
        return 0;
    }

    static float Correlation(Tensor x)
    {
        var strongest = new List<float>();
        for (var top = 0L; top < x.shape[2]; top += Patch)
        {
            for (var left = 0L; left < x.shape[3]; left += Patch)
            {
                using var scope = NewDisposeScope();
                var values = x.narrow(2, top, Patch).narrow(3, left, Patch).reshape(x.shape[0], -1);
                var matrix = values.t().corrcoef().abs();
                var upper = matrix.triu(1).flatten();
                strongest.AddRange(upper.topk(Strongest).values.data<float>().ToArray());
            }
        }

        return strongest.Average();
    }

    static Tensor PlainMask(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (down, right) = (zeros_like(x), zeros_like(x));
        down.narrow(2, 0, x.shape[2] - 1).copy_(x.diff(1, 2).abs());
        right.narrow(3, 0, x.shape[3] - 1).copy_(x.diff(1, 3).abs());
        using var half = 0.5.ToScalar();
        using var threshold = Threshold.ToScalar();
        return down.add_(right, Scalars.One).mul_(half).lt(threshold).all(1).MoveToOuterDisposeScope();
    }

    static Tensor Load(string path, string name)
    {
        using var file = TensorFile.Open(path);
        var reader = file.Single(name);
        var loaded = empty([.. reader.Shape], ScalarType.Float32);
        for (long row = 0; row < reader.Rows; row++)
            reader.ReadRows(row, 1, loaded[row].bytes);
        return loaded;
    }

    void Write(string path, ulong seed)
    {
        const int RowsAtOnce = 256;
        using var generator = new Generator(seed);
        using var writer = TensorFileWriter.Create(
            path, Taba.TensorFormat.Pt, Path.GetFileNameWithoutExtension(path), ScalarType.Float32, [rows, 3, side, side]);
        for (var at = 0; at < rows; at += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var values = randn([Math.Min(RowsAtOnce, rows - at), 3, side, side], generator: generator);
            // The left half of samples is plain.
            using var little = 0.01.ToScalar();
            if (seed == 1)
                values.narrow(3, 0, side / 2).mul_(little);
            writer.Write(values.bytes);
        }

        writer.Complete();
    }

    static async Task ShowAsync(string what, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        long peak = 0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, PeakOf(process.Id));
            await Task.Delay(s_sampleEvery, cancellationToken);
        }

        Console.WriteLine($"| {what} | {peak / (double)(1 << 20):F0} | {clock.Elapsed.TotalSeconds:F1} |");
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{what} ended with status {process.ExitCode}: {await errors}");
        Console.Error.WriteLine(await output);
    }

    /// <summary>The most resident memory of a process so far, mapped files included; 0 when it has ended.</summary>
    static long PeakOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(line.AsSpan("VmHWM:".Length).TrimEnd("kB").Trim());
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
