using System.Runtime.InteropServices;
using Taba.Diffusion.Metrics;
using Taba.Silo.Rows;
using static TorchSharp.torch;

namespace Taba.Silo.Outputs;

/// <summary>A tensor of a run without the rows that failed in any of its tensors, as analyses read it.</summary>
/// <param name="step">The step of a tensor that is kept of steps; of a result it says nothing.</param>
sealed class MetricRows(string identity, RunRows source, RowSet rows, StateShape shape, int step = 0) : IMetricRows
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
            source.Read(step, piece, MemoryMarshal.AsBytes(values));
            return;
        }
        var length = values.Length * (source.Dtype == ScalarType.Float64 ? sizeof(double) : sizeof(ushort));
        if (_stored.Length < length)
            _stored = new byte[length];
        source.Read(step, piece, _stored.AsSpan(0, length));
        FloatRows.ToFloat32(_stored.AsSpan(0, length), source.Dtype, MemoryMarshal.AsBytes(values));
    }
}
