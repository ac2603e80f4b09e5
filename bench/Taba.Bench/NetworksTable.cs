using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>What was measured, as docs/benchmarks.md shows it.</summary>
sealed class NetworksTable(IReadOnlyList<MeasuredNetwork> networks, NetworksRequest ask)
{
    /// <summary>Processor and threads, in words.</summary>
    public string Machine { get; } =
        $"{Processor()}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors, {get_num_threads()} threads of "
        + $"libtorch{(ask.Onnx is null ? "" : $", {Environment.ProcessorCount} of ONNX Runtime {OnnxNetwork.Version}")}";

    /// <summary>Writes all tables.</summary>
    public void Write(TextWriter to)
    {
        to.WriteLine($"{Machine}; {ask.Rounds} interleaved rounds of {ask.Seconds} s; medians (least to most by round)");
        to.WriteLine();
        WriteForms(to);
        to.WriteLine();
        WriteProbes(to);
        if (ask.ByOperation)
        {
            to.WriteLine();
            WriteOperations(to);
        }
    }

    void WriteForms(TextWriter to)
    {
        to.WriteLine(
            "| network | batch | form | ms a pass | times as fast as plain | ms an evaluation | evaluations/s | GFLOP/s | of measured peak "
            + "| largest difference from plain |");
        to.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var (network, batch, form) in networks.SelectMany(n => n.Batches.SelectMany(b => b.Contenders.Select(c => (n, b, c)))))
        {
            var pass = Spread.Of(form.PassSeconds).Median;
            to.WriteLine(
                $"| {network.Name}, {network.Parameters / 1e6:F1} M, {network.Operations / 1e9:F2} GFLOP | {batch.Batch} | {form.Name} "
                + $"| {1e3 * pass:F1} | {Text(form.OverPlain, "F2")} | {1e3 * pass / batch.Batch:F2} | {batch.Batch / pass:F1} "
                + $"| {form.GigaFlops.Median:F0} | {form.ShareOfPeak.Median:P0} | {form.Difference?.ToString("G2") ?? ""} |");
        }
    }

    void WriteProbes(TextWriter to)
    {
        to.WriteLine("| large layer alone | in the rounds of | GFLOP/s |");
        to.WriteLine("|---|---|---|");
        foreach (var (network, batch, probe) in networks.SelectMany(n => n.Batches.SelectMany(b => b.Probes.Select(p => (n, b, p)))))
            to.WriteLine($"| {probe.Name} | {network.Name}, batch {batch.Batch} | {Text(probe.GigaFlops, "F0")} |");
    }

    void WriteOperations(TextWriter to)
    {
        to.WriteLine("| network, fast, float32 | batch | operation | calls | ms of a pass | share | GFLOP/s |");
        to.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var (network, pass, part) in networks.SelectMany(n => n.Passes.SelectMany(p => p.Parts.Select(part => (n, p, part)))))
        {
            to.WriteLine(
                $"| {network.Name} | {pass.Batch} | {part.Operation} | {part.Calls} | {part.Milliseconds:F2} "
                + $"| {part.Milliseconds / pass.Milliseconds:P0} "
                + $"| {(part.Operations > 0 ? $"{part.Operations / part.Milliseconds / 1e6:F0}" : "")} |");
        }
    }

    static string Text(Spread spread, string format) =>
        $"{spread.Median.ToString(format)} ({spread.Least.ToString(format)} to {spread.Most.ToString(format)})";

    /// <summary>As Linux names it.</summary>
    static string Processor()
    {
        const string Key = "model name";
        var line = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal))
            : null;
        return line is null ? "a processor" : line[(line.IndexOf(':') + 1)..].Trim();
    }
}
