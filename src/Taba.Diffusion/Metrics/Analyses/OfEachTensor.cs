using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>Moments of each tensor.</summary>
sealed class MomentsAnalysis : RunAnalysis
{
    readonly List<(string Name, IMetricRows Rows, Sums<MomentsAccumulator> Sums)> _tensors;

    public MomentsAnalysis(IRunTensors run) =>
        _tensors = [.. run.Each().Select(tensor => (tensor.Name, tensor.Rows, Keep(new MomentsAccumulator())))];

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var (_, rows, sums) in _tensors)
        {
            foreach (var chunk in rows.Chunks(first, count, cancellationToken))
                sums.Value.Add(chunk.Span);
        }
    }

    public override ExperimentNumbers Compute() => Json.Numbers(_tensors.Select(tensor => KeyValuePair.Create(
        tensor.Name, (JsonNode?)Json.Of(tensor.Sums.Value.Value.Mean, tensor.Sums.Value.Value.Std))));
}

/// <summary>Patch correlation of each tensor.</summary>
sealed class CorrelationAnalysis : RunAnalysis
{
    readonly List<(string Name, IMetricRows Rows, Sums<PatchCorrelation> Sums)> _tensors;

    public CorrelationAnalysis(IRunTensors run) =>
        _tensors = [.. run.Each().Select(tensor => (tensor.Name, tensor.Rows, Keep(new PatchCorrelation(tensor.Rows.Shape))))];

    /// <exception cref="NotSupportedException">
    /// The covariances of so large images need several passes, and so all rows at once.
    /// </exception>
    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var (name, rows, sums) in _tensors)
        {
            var correlation = sums.Value;
            if (correlation.PassCount > 1 && count < rows.Rows)
                throw new NotSupportedException(
                    $"The correlation of {name} [{rows.Shape}] takes {correlation.PassCount} passes over all rows");
            while (true)
            {
                foreach (var chunk in rows.Chunks(first, count, cancellationToken))
                    correlation.Add(chunk.Span);
                if (correlation.Pass >= correlation.PassCount - 1)
                    break;
                correlation.EndPass();
            }
        }
    }

    public override ExperimentNumbers Compute() => Json.Numbers(_tensors.Select(tensor =>
    {
        var found = tensor.Sums.Value.Compute();
        return KeyValuePair.Create(tensor.Name, (JsonNode?)Json.Of(found.Mean, found.Std));
    }));
}
