using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Taba.Diffusion;
using Taba.Diffusion.Metrics;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Storage;
using static TorchSharp.torch;

namespace Taba.Silo.Outputs;

/// <summary>
/// The numbers of <c>metrics.json</c>, with upstream's keys (upstream-behaviour 1.6), computed in a stream over parts. What is
/// measured of one tensor is remembered, because runs of a sweep share tensors.
/// </summary>
sealed class RunMetrics(ITensorStore store, NoiseSources noise)
{
    const int ChunkBytes = 4 << 20;

    readonly Dictionary<string, TensorStatistics> _statistics = [];

    /// <summary>The metrics of a run. Those whose tensors the run does not have are left out; rows that failed are not counted.</summary>
    public async Task<JsonObject> ComputeAsync(PlannedRun run, CancellationToken cancellationToken)
    {
        var metrics = new JsonObject();
        var noiseTensor = run.Tensor("noise");
        var latents = run.Tensor("latents");
        var samples = run.Tensor("samples");
        var reconstruction = run.Tensor("samples2");
        if (latents is not null)
        {
            var l = await StatisticsAsync(run, latents, cancellationToken);
            if (noiseTensor is not null)
            {
                var n = await StatisticsAsync(run, noiseTensor, cancellationToken);
                metrics["kl_div_noise_latent"] = KlDivergence.Between(n.Moments, l.Moments);
                metrics["reconstruction_error_noise"] = await ErrorAsync(run, noiseTensor, latents, cancellationToken);
                metrics["correlation"] = Pair(l.Correlation.Mean, l.Correlation.Std);
                metrics["latent_stats"] = Pair(l.Moments.Mean, l.Moments.Std);
                metrics["noise_stats"] = Pair(n.Moments.Mean, n.Moments.Std);
                // Not upstream's: the floor of `correlation` at the same N, without which it says nothing.
                metrics["noise_correlation"] = Pair(n.Correlation.Mean, n.Correlation.Std);
            }
            else
            {
                metrics["correlation"] = Pair(l.Correlation.Mean, l.Correlation.Std);
                metrics["latent_stats"] = Pair(l.Moments.Mean, l.Moments.Std);
            }
        }
        if (samples is not null && reconstruction is not null)
            metrics["reconstruction_error_images"] = await ErrorAsync(run, samples, reconstruction, cancellationToken);
        return metrics;
    }

    async Task<TensorStatistics> StatisticsAsync(PlannedRun run, RunTensor tensor, CancellationToken cancellationToken)
    {
        var key = $"{tensor.Rows} {run.Rows} {run.Model.Digest}";
        if (_statistics.TryGetValue(key, out var known))
            return known;
        using var rows = await RunRows.OpenAsync(tensor, run, store, noise, cancellationToken);
        var moments = new MomentsAccumulator();
        using var correlation = new PatchCorrelation(new StateShape(run.Model.Channels, run.Model.Height, run.Model.Width));
        while (correlation.Pass < correlation.PassCount)
        {
            var first = correlation.Pass == 0;
            foreach (var chunk in Chunks(run, rows.Rows))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var values = ReadFloats(rows, chunk, run);
                if (first)
                    moments.Add(values);
                correlation.Add(values);
            }
            correlation.EndPass();
        }
        return _statistics[key] = new(moments.Value, correlation.Compute());
    }

    async Task<double> ErrorAsync(PlannedRun run, RunTensor a, RunTensor b, CancellationToken cancellationToken)
    {
        using var first = await RunRows.OpenAsync(a, run, store, noise, cancellationToken);
        using var second = await RunRows.OpenAsync(b, run, store, noise, cancellationToken);
        var error = new MeanAbsoluteError();
        foreach (var chunk in Chunks(run, first.Rows.Intersect(second.Rows)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            error.Add(ReadFloats(first, chunk, run), ReadFloats(second, chunk, run));
        }
        return error.Value;
    }

    static IEnumerable<RowRange> Chunks(PlannedRun run, RowSet present)
    {
        var rows = (int)Math.Clamp(ChunkBytes / run.Model.RowBytes, 1, 4096);
        foreach (var range in present.Intersect(run.Rows).Ranges)
        {
            for (var row = range.Start; row < range.End; row += rows)
                yield return new RowRange(row, Math.Min(range.End, row + rows));
        }
    }

    static float[] ReadFloats(RunRows rows, RowRange chunk, PlannedRun run)
    {
        var values = new float[chunk.Count * run.Model.RowElements];
        if (rows.Dtype == ScalarType.Float32)
        {
            rows.Read(0, chunk, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
        var stored = new byte[values.Length * (rows.Dtype == ScalarType.Float64 ? sizeof(double) : sizeof(ushort))];
        rows.Read(0, chunk, stored);
        FloatRows.ToFloat32(stored, rows.Dtype, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    static JsonObject Pair(double mean, double std) => new() { ["mean"] = Number(mean), ["std"] = Number(std) };

    static JsonValue Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : JsonValue.Create("NaN");

    sealed record TensorStatistics(Moments Moments, CorrelationSummary Correlation);
}
