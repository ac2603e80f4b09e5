using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Grains.Sweeps;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>
/// The metrics of runs. What a stage has measured in blocks is put together; the rest is measured here, over the parts that hold the
/// tensors. Rows that failed in any of a run's tensors are not counted.
/// </summary>
/// <param name="pass">Where networks run that no stage was asked for.</param>
sealed class RunMetrics(TensorStore store, NoiseSources noise, PicturePass pass) : IDisposable
{
    readonly ExperimentMetrics _paper = new();
    RunPictures? _pictures;

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
            var prompts = run.Prompts is { } asked && names.Any(IsOfPrompts) ? await PromptOutputs.OfAsync(asked, rows) : null;
            var tensors = new OpenRun(run, opened, rows, prompts);
            var isWhole = rows.Count == run.Rows.Count;
            var measured = isWhole
                ? await MeasuredAsync(run.MeasureKey, OfBlocks(run, byNetworks: false, AllAnalyses.Find), tensors, cancellationToken)
                : null;
            var pictured = run.ByNetworks is { } planned
                ? await ByNetworksAsync(run, planned, tensors, isWhole, cancellationToken)
                : null;
            return Content(names.Select(name => (name, measured?.GetValueOrDefault(name) ?? pictured?.GetValueOrDefault(name)
                ?? Here(name, tensors, cancellationToken))));
        }
        finally
        {
            foreach (var rows in opened.Values)
                rows.Dispose();
        }
    }

    public void Dispose() => _pictures?.Dispose();

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

    /// <summary>What stages have measured of pairs, and what is found here of sets by features that stages have kept.</summary>
    async Task<IReadOnlyDictionary<string, ExperimentNumbers>?> ByNetworksAsync(
        PlannedRun run, PlannedPictures planned, OpenRun tensors, bool isWhole, CancellationToken cancellationToken)
    {
        if (_pictures?.Serves(planned) != true)
        {
            _pictures?.Dispose();
            _pictures = null;
            _pictures = new(planned, pass);
        }
        await _pictures.TakeAsync(planned, isWhole ? tensors.Tensor(TensorRole.Images) : null, store, cancellationToken);
        var all = _pictures.Analyses.ToDictionary(a => a.Name);
        return isWhole
            ? await MeasuredAsync(
                planned.MeasureKey, OfBlocks(run, byNetworks: true, name => all.GetValueOrDefault(name)), tensors, cancellationToken)
            : null;
    }

    static bool IsOfPrompts(string name) => PictureAnalyses.List.Any(a => a.IsOfPrompts && a.Name == name);

    /// <summary>Null where the run lacks what the analysis needs.</summary>
    ExperimentNumbers? Here(string name, OpenRun run, CancellationToken cancellationToken) => name == AllAnalyses.Paper
        ? _paper.Compute(
            run.Tensor(TensorRole.Noise), run.Tensor(TensorRole.Latents), run.Tensor(TensorRole.Images),
            run.Tensor(TensorRole.ReconstructedImages), cancellationToken)
        : AllAnalyses.Find(name) is not { } analysis ? _pictures?.Measure(name, run, cancellationToken)
        : analysis.WhyNot(run) is null ? analysis.Measure(run, cancellationToken) : null;

    /// <summary>Puts blocks together in the order of their rows; null when one is missing, as where rows of it failed.</summary>
    /// <param name="analyses">Those that blocks hold, in their order.</param>
    async Task<IReadOnlyDictionary<string, ExperimentNumbers>?> MeasuredAsync(
        string? key, IReadOnlyList<Analysis> analyses, OpenRun tensors, CancellationToken cancellationToken)
    {
        if (key is null)
            return null;
        AnalysisSet? whole = null;
        try
        {
            await StoredBlocks.ReadAsync(key, store, bytes =>
            {
                var block = new AnalysisSet(analyses, tensors);
                try
                {
                    block.Read(bytes);
                    whole?.Merge(block);
                    whole ??= Interlocked.Exchange(ref block, null);
                }
                finally
                {
                    block?.Dispose();
                }
            }, cancellationToken);
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

    static IReadOnlyList<Analysis> OfBlocks(PlannedRun run, bool byNetworks, Func<string, Analysis?> find) =>
    [
        .. run.Analyses.Where(a => a.InParts && a.Pictures is not null == byNetworks).Select(a => a.Name)
            .Order(StringComparer.Ordinal).Select(find).OfType<Analysis>(),
    ];
}
