using System.Runtime.InteropServices;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Grains.Sweeps;
using Taba.Silo.Rows;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using static TorchSharp.torch;

namespace Taba.Silo.Outputs;

/// <summary>
/// The metrics of runs, over the parts that hold their tensors. Rows that failed in any of a run's tensors are not counted.
/// </summary>
sealed class RunMetrics(TensorStore store, NoiseSources noise)
{
    readonly ExperimentMetrics _metrics = new();

    public async Task<ExperimentNumbers> ComputeAsync(PlannedRun run, SubstitutedRows substitutes, CancellationToken cancellationToken)
    {
        var opened = new Dictionary<string, RunRows>();
        try
        {
            var tensors = new[] { run.Tensor("noise"), run.Tensor("latents"), Images("samples"), Images("samples2") };
            foreach (var tensor in tensors.OfType<RunTensor>())
                opened[tensor.Name] = await RunRows.OpenAsync(tensor, run, store, noise, substitutes, cancellationToken);
            var rows = opened.Values.Aggregate(RowSet.Of(run.Rows), (all, r) => all.Intersect(r.Rows));
            return _metrics.Compute(Rows(tensors[0]), Rows(tensors[1]), Rows(tensors[2]), Rows(tensors[3]), cancellationToken);

            RunTensor? Images(string name) => run.Images == ImagePair.Decoded ? run.Pictures(name) : run.Tensor(name);

            MetricRows? Rows(RunTensor? tensor) => tensor is null
                ? null
                : new($"{tensor.Rows} {rows} {run.Model.Digest}", opened[tensor.Name], rows, tensor.Shape!.Value);
        }
        finally
        {
            foreach (var rows in opened.Values)
                rows.Dispose();
        }
    }

    sealed class MetricRows(string identity, RunRows source, RowSet rows, StateShape shape) : IMetricRows
    {
        public string Identity => identity;

        public StateShape Shape => new(shape.Channels, shape.Height, shape.Width);

        public long Rows => rows.Count;

        public IEnumerable<ReadOnlyMemory<float>> Chunks(CancellationToken cancellationToken)
        {
            var count = Math.Min(IMetricRows.RowsAtOnce(Shape), rows.Count);
            var values = new float[count * shape.Elements];
            var stored = source.Dtype == ScalarType.Float32
                ? []
                : new byte[values.Length * (source.Dtype == ScalarType.Float64 ? sizeof(double) : sizeof(ushort))];
            foreach (var range in rows.Ranges)
            {
                for (var row = range.Start; row < range.End; row += count)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var chunk = new RowRange(row, Math.Min(range.End, row + count));
                    var length = checked((int)(chunk.Count * shape.Elements));
                    Read(chunk, values.AsSpan(0, length), stored);
                    yield return values.AsMemory(0, length);
                }
            }
        }

        void Read(RowRange chunk, Span<float> values, byte[] stored)
        {
            if (source.Dtype == ScalarType.Float32)
            {
                source.Read(0, chunk, MemoryMarshal.AsBytes(values));
                return;
            }
            var bytes = stored.AsSpan(0, values.Length * (source.Dtype == ScalarType.Float64 ? sizeof(double) : sizeof(ushort)));
            source.Read(0, chunk, bytes);
            FloatRows.ToFloat32(bytes, source.Dtype, MemoryMarshal.AsBytes(values));
        }
    }
}
