using System.Numerics.Tensors;
using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Differences;

/// <summary>Mean and sum of squared differences from it of each value of a row, over rows (Welford 1962), in float64.</summary>
sealed class PixelMoments
{
    const int Block = 1024;

    readonly double[] _squares;

    internal PixelMoments(int length)
        : this(new double[length], new double[length])
    {
    }

    PixelMoments(double[] mean, double[] squares)
    {
        Mean = mean;
        _squares = squares;
    }

    internal double[] Mean { get; }

    /// <summary>Takes in a row.</summary>
    /// <param name="row">As many values as there are means.</param>
    /// <param name="count">Rows, with this one.</param>
    internal void Add(ReadOnlySpan<float> row, long count)
    {
        Span<double> difference = stackalloc double[Block];
        for (var at = 0; at < row.Length; at += Block)
        {
            var length = Math.Min(Block, row.Length - at);
            difference = difference[..length];
            var mean = Mean.AsSpan(at, length);
            var squares = _squares.AsSpan(at, length);
            TensorPrimitives.ConvertTruncating(row.Slice(at, length), difference);
            TensorPrimitives.Subtract(difference, mean, difference);
            TensorPrimitives.MultiplyAdd(difference, 1.0 / count, mean, mean);
            TensorPrimitives.Multiply(difference, difference, difference);
            TensorPrimitives.MultiplyAdd(difference, (count - 1.0) / count, squares, squares);
        }
    }

    /// <summary>Takes in those of other rows.</summary>
    internal void Merge(long count, PixelMoments later, long laterCount)
    {
        if (laterCount == 0)
            return;
        var share = (double)laterCount / (count + laterCount);
        for (var i = 0; i < Mean.Length; i++)
        {
            var difference = later.Mean[i] - Mean[i];
            Mean[i] += difference * share;
            _squares[i] += later._squares[i] + (difference * difference * count * share);
        }
    }

    /// <summary>Unbiased; NaN below two rows.</summary>
    internal double Std(int i, long count) => count < 2 ? double.NaN : Math.Sqrt(_squares[i] / (count - 1));

    /// <summary>The moments of all values of all rows.</summary>
    internal Moments Whole(long count)
    {
        var whole = new RunningMoments();
        for (var i = 0; i < Mean.Length; i++)
            whole.Merge(count, Mean[i], _squares[i]);
        return whole.Value;
    }

    internal void Write(BinaryWriter writer)
    {
        writer.WriteAll(Mean);
        writer.WriteAll(_squares);
    }

    internal static PixelMoments Read(BinaryReader reader, int length) =>
        new(AnalysisFormat.ReadDoubles(reader, length), AnalysisFormat.ReadDoubles(reader, length));
}
