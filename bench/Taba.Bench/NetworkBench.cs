using System.Diagnostics;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>
/// Loads a network of published size from weights that are drawn, and evaluates it, in a process of its own: how much anonymous memory
/// loading takes beside the weights, how long it and an evaluation last.
/// </summary>
sealed class NetworkBench(string model, ScalarType fileType, ScalarType dtype, int forwards)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var network = PublishedNetwork.Of(model);
        var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
        try
        {
            DrawnWeights.Write(network, folder, fileType);
            var start = new ProcessStartInfo(Environment.ProcessPath!)
            {
                ArgumentList = { "network", "--model", model, "--dtype", $"{dtype}", "--forwards", $"{forwards}", "--weights", folder },
            };
            using var process = Process.Start(start)!;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What the process of its own does: one line of the table.</summary>
    public static int Measure(string model, string folder, ScalarType dtype, int forwards)
    {
        var network = PublishedNetwork.Of(model);
        zeros(1).Dispose();
        using var peak = new AnonymousPeak();
        var before = peak.Take();

        var clock = Stopwatch.StartNew();
        IDisposable loaded;
        string[] files;
        using (var weights = DiffusersWeights.Open(folder))
        {
            files = [.. weights.Files];
            loaded = network.Load(weights, dtype, NetworkForm.Fast);
        }
        var (loading, load) = (clock.Elapsed, peak.Take() - before);

        var best = TimeSpan.MaxValue;
        for (var i = 0; i < forwards; i++)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            clock.Restart();
            network.Forward(loaded, network.Inputs(1));
            best = clock.Elapsed < best ? clock.Elapsed : best;
        }
        var evaluated = peak.Take() - before;
        loaded.Dispose();

        const double Mebibyte = 1 << 20;
        var target = network.Bytes(dtype);
        Console.WriteLine(
            $"| {network.Name} | {network.Count:N0} | {dtype} from {files.Length} file(s) of "
            + $"{new FileInfo(files[0]).Length / Mebibyte:F0} MiB and less | {target / Mebibyte:F0} "
            + $"| {load / Mebibyte:F0} ({load / (double)target:F3}) | {loading.TotalSeconds:F1} s | "
                + $"{(forwards == 0 ? "" : $"{best.TotalSeconds:F2} s, {evaluated / Mebibyte:F0} MiB")} |");
        return 0;
    }
}
