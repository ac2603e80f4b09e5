using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>The tensors of a run that is being written, by what they are.</summary>
/// <param name="run">The run.</param>
/// <param name="opened">Its tensors by their names.</param>
/// <param name="rows">Those that are there in all of them.</param>
sealed class OpenRun(PlannedRun run, IReadOnlyDictionary<string, RunRows> opened, RowSet rows) : IRunTensors
{
    readonly Dictionary<string, MetricRows> _rows = [];

    /// <summary>The tensors that analyses may be given, each once.</summary>
    public static IEnumerable<RunTensor> Tensors(PlannedRun run) =>
        Enum.GetValues<TensorRole>().Select(role => Of(run, role)).OfType<RunTensor>().DistinctBy(tensor => tensor.Name);

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

    static RunTensor? Images(PlannedRun run, string name) => run.Images == ImagePair.Decoded ? run.Pictures(name) : run.Tensor(name);
}
