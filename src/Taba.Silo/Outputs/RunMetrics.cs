using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Grains.Sweeps;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>
/// The metrics of runs. What a stage has measured in blocks is put together; the rest is measured here, over the parts that hold the
/// tensors. Rows that failed in any of a run's tensors are not counted.
/// </summary>
sealed class RunMetrics(TensorStore store, NoiseSources noise)
{
    readonly ExperimentMetrics _paper = new();

    /// <summary>The content of metrics.json: <c>metrics</c>, <c>intervals</c>, and <c>analyses</c> where others were asked for.</summary>
    public async Task<JsonObject> ComputeAsync(PlannedRun run, SubstitutedRows substitutes, CancellationToken cancellationToken)
    {
        var names = NamesOf(run);
        var opened = new Dictionary<string, RunRows>();
        try
        {
            foreach (var tensor in OpenRun.Tensors(run))
                opened[tensor.Name] = await RunRows.OpenAsync(tensor, run, store, noise, substitutes, cancellationToken);
            var rows = opened.Values.Aggregate(RowSet.Of(run.Rows), (all, r) => all.Intersect(r.Rows));
            var tensors = new OpenRun(run, opened, rows);
            var measured = run.MeasureKey is { } key && rows.Count == run.Rows.Count
                ? await MeasuredAsync(key, run, tensors, cancellationToken)
                : null;
            return Content(names.Select(name => (name, measured?.GetValueOrDefault(name) ?? Here(name, tensors, cancellationToken))));
        }
        finally
        {
            foreach (var rows in opened.Values)
                rows.Dispose();
        }
    }

    /// <summary>The analyses that a run is asked for.</summary>
    public static ImmutableArray<string> NamesOf(PlannedRun run) =>
        run.Analyses.IsDefault ? [AllAnalyses.Paper] : [.. run.Analyses.Select(a => a.Name)];

    static JsonObject Content(IEnumerable<(string Name, ExperimentNumbers? Numbers)> found)
    {
        var (metrics, intervals, others) = (new JsonObject(), new JsonObject(), new JsonObject());
        foreach (var (name, numbers) in found)
        {
            if (numbers is null)
                continue;
            if (name == AllAnalyses.Paper)
                (metrics, intervals) = (numbers.Metrics, numbers.Intervals);
            else
                others[name] = numbers.Metrics;
        }
        var content = new JsonObject { ["metrics"] = metrics, ["intervals"] = intervals };
        if (others.Count > 0)
            content["analyses"] = others;
        return content;
    }

    /// <summary>Null where the run lacks what the analysis needs.</summary>
    ExperimentNumbers? Here(string name, OpenRun run, CancellationToken cancellationToken) => name == AllAnalyses.Paper
        ? _paper.Compute(
            run.Tensor(TensorRole.Noise), run.Tensor(TensorRole.Latents), run.Tensor(TensorRole.Images),
            run.Tensor(TensorRole.ReconstructedImages), cancellationToken)
        : AllAnalyses.Find(name) is { } analysis && analysis.WhyNot(run) is null ? analysis.Measure(run, cancellationToken) : null;

    /// <summary>Puts blocks together in the order of their rows; null when one is missing, as where rows of it failed.</summary>
    async Task<IReadOnlyDictionary<string, ExperimentNumbers>?> MeasuredAsync(
        string key, PlannedRun run, OpenRun tensors, CancellationToken cancellationToken)
    {
        using var reader = await StageReader.OpenAsync(store, key, MeasureSetting.AllBlocks, cancellationToken);
        if (!reader.Rows(TensorKinds.None, step: null).Contains(MeasureSetting.AllBlocks))
            return null;
        var names = run.Analyses.Where(a => a.InParts).Select(a => a.Name).Order(StringComparer.Ordinal).ToList();
        AnalysisSet? whole = null;
        try
        {
            foreach (var manifest in reader.Manifests.OrderBy(m => m.RowStart))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var bytes = new byte[manifest.Object(TensorKinds.None)!.Bytes];
                reader.ReadResult(manifest.Rows, bytes);
                var block = new AnalysisSet(names, tensors);
                try
                {
                    block.Read(new BinaryReader(new MemoryStream(bytes, writable: false)));
                    whole?.Merge(block);
                    whole ??= Interlocked.Exchange(ref block, null);
                }
                finally
                {
                    block?.Dispose();
                }
            }
            return whole?.Compute();
        }
        catch (InvalidDataException)
        {
            // Another version wrote it: the tensors are all there, and are measured here.
            return null;
        }
        finally
        {
            whole?.Dispose();
        }
    }
}
