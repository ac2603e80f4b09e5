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

/// <summary>The metrics of runs, over the parts that hold their tensors. Rows that failed in any of a run's tensors are not counted.</summary>
sealed class RunMetrics(ITensorStore store, NoiseSources noise)
{
    readonly ExperimentMetrics _metrics = new();

    public async Task<JsonObject> ComputeAsync(PlannedRun run, CancellationToken cancellationToken)
    {
        var opened = new Dictionary<string, RunRows>();
        try
        {
            foreach (var name in new[] { "noise", "latents", "samples", "samples2" })
            {
                if (run.Tensor(name) is { } tensor)
                    opened[name] = await RunRows.OpenAsync(tensor, run, store, noise, cancellationToken);
            }
            var rows = opened.Values.Aggregate(RowSet.Of(run.Rows), (all, r) => all.Intersect(r.Rows));
            return _metrics.Compute(Rows("noise"), Rows("latents"), Rows("samples"), Rows("samples2"), cancellationToken);

            MetricRows? Rows(string name) =>
                opened.TryGetValue(name, out var source) ? new($"{run.Tensor(name)!.Rows} {rows} {run.Model.Digest}", source, rows, run.Model) : null;
        }
        finally
        {
            foreach (var rows in opened.Values)
                rows.Dispose();
        }
    }

    sealed class MetricRows(string identity, RunRows source, RowSet rows, ModelIdentity model) : IMetricRows
    {
        const int ChunkBytes = 4 << 20;

        public string Identity => identity;

        public StateShape Shape => new(model.Channels, model.Height, model.Width);

        public IEnumerable<float[]> Chunks(CancellationToken cancellationToken)
        {
            var count = (int)Math.Clamp(ChunkBytes / model.RowBytes, 1, 4096);
            foreach (var range in rows.Ranges)
            {
                for (var row = range.Start; row < range.End; row += count)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return Read(new RowRange(row, Math.Min(range.End, row + count)));
                }
            }
        }

        float[] Read(RowRange chunk)
        {
            var values = new float[chunk.Count * model.RowElements];
            if (source.Dtype == ScalarType.Float32)
            {
                source.Read(0, chunk, MemoryMarshal.AsBytes(values.AsSpan()));
                return values;
            }
            var stored = new byte[values.Length * (source.Dtype == ScalarType.Float64 ? sizeof(double) : sizeof(ushort))];
            source.Read(0, chunk, stored);
            FloatRows.ToFloat32(stored, source.Dtype, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
    }
}
