using System.Text.Json;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>
/// Evaluates a network in its plain and its fast form, and another runtime's of the same architecture, in interleaved rounds of one
/// process, beside large layers alone, which say what the processor can do at that time.
/// </summary>
/// <remarks>
/// All passes of a batch have the same inputs. The fast form projects a timestep once, as it does for all samples of a sweep. Memory is
/// not told: what one form has freed the next one reuses; the command <c>network</c> has a process for each.
/// </remarks>
sealed class NetworksBench(NetworksRequest ask)
{
    static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var models = ask.Models.Select(model => (Name: model, Network: PublishedNetwork.Of(model))).ToList();
        using var onnx = ask.Onnx is null ? null : new OnnxNetwork(ask.Onnx);
        using var peaks = new PeakRates(ScalarType.Float32);
        using var shortPeaks = ask.BFloat16 ? new PeakRates(ScalarType.BFloat16) : null;
        var measured = new List<MeasuredNetwork>();
        foreach (var (name, network) in models)
        {
            var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
            try
            {
                DrawnWeights.Write(network, folder, ScalarType.Float16);
                var passes = new List<ProfiledPass>();
                foreach (var batch in ask.ByOperation ? ask.Batches : ask.Batches.Take(1))
                    passes.Add(await ProfiledPass.RunAsync(name, folder, batch, cancellationToken));
                var batches = Measure(network, folder, passes[0].Operations, onnx, peaks, shortPeaks, cancellationToken);
                measured.Add(new(network.Name, network.Count, passes[0].Operations, batches, passes));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        var table = new NetworksTable(measured, ask);
        table.Write(Console.Out);
        if (ask.Json is not null)
        {
            var all = new { table.Machine, ask.Rounds, ask.Seconds, networks = measured };
            await File.WriteAllBytesAsync(ask.Json, JsonSerializer.SerializeToUtf8Bytes(all, s_json), cancellationToken);
        }
        return 0;
    }

    List<MeasuredBatch> Measure(
        PublishedNetwork network, string folder, double operations, OnnxNetwork? onnx, PeakRates peaks, PeakRates? shortPeaks,
        CancellationToken cancellationToken)
    {
        using var forms = new LoadedForms(network, folder, ask.BFloat16);
        var probes = new Dictionary<ScalarType, IReadOnlyList<Contender>> { [ScalarType.Float32] = peaks.Probes };
        if (shortPeaks is not null)
            probes.Add(ScalarType.BFloat16, shortPeaks.Probes);
        var measured = new List<MeasuredBatch>();
        foreach (var batch in ask.Batches)
        {
            using var scope = NewDisposeScope();
            var inputs = network.Inputs(batch);
            if (onnx is not null && inputs.Length != 2)
                throw new BadInputException($"{network.Name} takes more than states and timesteps, which is what an ONNX file is given.");
            var entrants = forms.All
                .Select(form => new Entrant(form.Name, form.Type, () => forms.Forward(form, inputs), forms.Difference(form, inputs)))
                .ToList();
            if (onnx is not null)
                entrants.Add(new("ONNX Runtime", ScalarType.Float32, onnx.Bind(inputs[0], inputs[1]), null));
            measured.Add(Measure(batch, batch * operations, entrants, probes, cancellationToken));
        }
        return measured;
    }

    /// <param name="operations">Of a pass.</param>
    /// <param name="entrants">The plain form first.</param>
    /// <param name="probes">By type.</param>
    MeasuredBatch Measure(
        int batch, double operations, List<Entrant> entrants, Dictionary<ScalarType, IReadOnlyList<Contender>> probes,
        CancellationToken cancellationToken)
    {
        var contenders = entrants.Select(e => new Contender(e.Name, operations, ask.Seconds, e.Pass)).ToList();
        var alone = probes.Values.SelectMany(p => p).ToList();
        var times = RoundTimes.Measure([.. contenders, .. alone], ask.Rounds, cancellationToken);
        return new(
            batch,
            [.. contenders.Zip(entrants, (contender, entrant) => new MeasuredContender(
                contender.Name, times.Seconds(contender), times.Ratio(contender, contenders[0]), times.GigaFlops(contender),
                times.Share(contender, probes[entrant.Type]), entrant.Difference))],
            [.. alone.Select(probe => new MeasuredProbe(probe.Name, times.Seconds(probe), times.GigaFlops(probe)))]);
    }

    /// <summary>A contender before its pass is told how long it lasts.</summary>
    sealed record Entrant(string Name, ScalarType Type, Action Pass, double? Difference);
}
