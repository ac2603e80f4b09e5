using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>The tensors of a run that is being written, by what they are.</summary>
/// <param name="run">The run.</param>
/// <param name="opened">Its tensors by their names.</param>
/// <param name="rows">Those that are there in all of them.</param>
/// <param name="prompts">Of those rows; null where they are not asked for.</param>
sealed class OpenRun(
    PlannedRun run, IReadOnlyDictionary<string, RunRows> opened, RowSet rows, IReadOnlyList<string>? prompts) : IRunTensors
{
    readonly Dictionary<string, MetricRows> _rows = [];

    /// <summary>The tensors that analyses may be given, each once.</summary>
    public static IEnumerable<RunTensor> Tensors(PlannedRun run) =>
        Enum.GetValues<TensorRole>().Select(role => Of(run, role)).Concat(Steps(run)).OfType<RunTensor>()
            .DistinctBy(tensor => tensor.Name);

    public IReadOnlyList<string>? Prompts => prompts;

    /// <summary>Null when the run does not keep them.</summary>
    public IReadOnlyList<IMetricRows>? Steps(TrajectoryRole role) =>
        Of(run, role) is { } tensor && opened.TryGetValue(tensor.Name, out var kept)
            ? [.. tensor.Steps.Select(step => new MetricRows($"{tensor.Name}[{step}]", kept, rows, tensor.Shape!.Value, step))]
            : null;

    public IMetricRows? Tensor(TensorRole role)
    {
        if (Of(run, role) is not { } tensor)
            return null;
        if (!_rows.TryGetValue(tensor.Name, out var known))
            _rows[tensor.Name] = known = new($"{tensor.Rows} {rows} {run.Model.Digest}", opened[tensor.Name], rows, tensor.Shape!.Value);
        return known;
    }

    public string NameOf(TensorRole role) => Of(run, role)?.Name ?? role.ToString();

    static RunTensor? Of(PlannedRun run, TensorRole role) => role switch
    {
        TensorRole.Noise => run.Tensor("noise"),
        TensorRole.Latents => run.Tensor("latents"),
        TensorRole.Samples => run.Tensor("samples"),
        TensorRole.Reconstructions => run.Tensor("samples2"),
        TensorRole.Images => Images(run, "samples"),
        _ => Images(run, "samples2"),
    };

    /// <summary>What is kept of steps, where it is asked for: it may be all that a run has many times over.</summary>
    static IEnumerable<RunTensor?> Steps(PlannedRun run) => !run.Analyses.IsDefault && run.Analyses.Any(a => a.OfSteps)
        ? Enum.GetValues<TrajectoryRole>().Select(role => Of(run, role))
        : [];

    static RunTensor? Of(PlannedRun run, TrajectoryRole role) => run.Tensor(role switch
    {
        TrajectoryRole.SamplingStates => "all_t_samples",
        TrajectoryRole.SamplingPredictions => "all_t_eps_samples",
        TrajectoryRole.InversionStates => "all_t_latents",
        _ => "all_t_eps_latents",
    });

    static RunTensor? Images(PlannedRun run, string name) => run.Images == ImagePair.Decoded ? run.Pictures(name) : run.Tensor(name);
}
