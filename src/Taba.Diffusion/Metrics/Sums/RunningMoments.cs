using System.Numerics.Tensors;

namespace Taba.Diffusion.Metrics.Sums;

/// <summary>
/// Count, mean and sum of squared differences from the mean of numbers that come one by one or in groups, in float64 (Welford 1962;
/// groups after Chan et al. 1979). A value to be kept in a field and changed in place.
/// </summary>
struct RunningMoments
{
    const int Block = 1024;

    double _mean;
    double _squares;

    internal long Count { get; private set; }

    /// <summary>NaN without numbers.</summary>
    internal readonly double Mean => Count == 0 ? double.NaN : _mean;

    /// <summary>Divided by count - 1; NaN below two numbers.</summary>
    internal readonly double Std => Count < 2 ? double.NaN : Math.Sqrt(_squares / (Count - 1));

    /// <summary>Divided by the count; NaN without numbers.</summary>
    internal readonly double PopulationStd => Count == 0 ? double.NaN : Math.Sqrt(_squares / Count);

    internal readonly Moments Value => new(Count, Mean, Std);

    internal readonly MeanStd Unbiased => new(Mean, Std);

    internal readonly MeanStd Population => new(Mean, PopulationStd);

    internal void Add(double value)
    {
        Count++;
        var difference = value - _mean;
        _mean += difference / Count;
        _squares += difference * (value - _mean);
    }

    internal void Add(ReadOnlySpan<float> values)
    {
        Span<double> wide = stackalloc double[Block];
        for (var at = 0; at < values.Length; at += Block)
        {
            var length = Math.Min(Block, values.Length - at);
            wide = wide[..length];
            TensorPrimitives.ConvertTruncating(values.Slice(at, length), wide);
            var mean = TensorPrimitives.Sum<double>(wide) / length;
            TensorPrimitives.Subtract(wide, mean, wide);
            Merge(length, mean, TensorPrimitives.SumOfSquares<double>(wide));
        }
    }

    internal void Merge(RunningMoments other) => Merge(other.Count, other._mean, other._squares);

    internal void Merge(long count, double mean, double squares)
    {
        if (count == 0)
            return;
        var total = Count + count;
        var difference = mean - _mean;
        _mean += difference * count / total;
        _squares += squares + (difference * difference * Count / total * count);
        Count = total;
    }

    internal readonly void Write(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(_mean);
        writer.Write(_squares);
    }

    internal static RunningMoments Read(BinaryReader reader) =>
        new() { Count = AnalysisFormat.ReadCount(reader), _mean = reader.ReadDouble(), _squares = reader.ReadDouble() };
}
