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
        byte[] _stored = [];

        public string Identity => identity;

        public StateShape Shape => new(shape.Channels, shape.Height, shape.Width);

        public long Rows => rows.Count;

        public int RowLength => checked((int)shape.Elements);

        /// <summary>Of the rows that are there, which need not follow each other in the run.</summary>
        public void Read(long first, Span<float> destination)
        {
            var skip = first;
            foreach (var range in rows.Ranges)
            {
                if (skip >= range.Count)
                {
                    skip -= range.Count;
                    continue;
                }
                var start = range.Start + (int)skip;
                var piece = new RowRange(start, (int)Math.Min(range.End, start + destination.Length / shape.Elements));
                if (piece.IsEmpty)
                    return;
                var length = checked((int)(piece.Count * shape.Elements));
                Read(piece, destination[..length]);
                destination = destination[length..];
                skip = 0;
            }
        }

        void Read(RowRange piece, Span<float> values)
        {
            if (source.Dtype == ScalarType.Float32)
            {
                source.Read(0, piece, MemoryMarshal.AsBytes(values));
                return;
            }
            var length = values.Length * (source.Dtype == ScalarType.Float64 ? sizeof(double) : sizeof(ushort));
            if (_stored.Length < length)
                _stored = new byte[length];
            source.Read(0, piece, _stored.AsSpan(0, length));
            FloatRows.ToFloat32(_stored.AsSpan(0, length), source.Dtype, MemoryMarshal.AsBytes(values));
        }
    }
}
