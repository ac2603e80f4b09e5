using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Differences;

/// <summary>
/// Kullback-Leibler divergence of one tensor from another, in nats: all values as one Gaussian (upstream's <c>kl_div</c>), and each value
/// of a row as its own, over samples (<c>kl_div2</c>, both taba/metrics/normality.py). Keeps mean and spread of every value of a row: 32
/// bytes a value, whatever the number of rows. Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of a row.</param>
/// <exception cref="ArgumentException">A row has no value.</exception>
public sealed class GaussianDivergence(StateShape shape) : IPartialSums<GaussianDivergence>
{
    const string Name = "taba.gaussian-divergence.1";

    // Upstream's, against a deviation of 0.
    const double LeastDeviation = 1e-6;

    readonly int _rowLength = RowCheck.Length(shape);

    long _count;
    PixelMoments _first = new(RowCheck.Length(shape));
    PixelMoments _second = new(RowCheck.Length(shape));

    /// <summary>Takes in whole rows, [n,C,H,W] of each tensor.</summary>
    /// <exception cref="ArgumentException">Not whole rows, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        RowCheck.Count(_rowLength, first, second);
        for (var at = 0; at < first.Length; at += _rowLength)
        {
            _count++;
            _first.Add(first.Slice(at, _rowLength), _count);
            _second.Add(second.Slice(at, _rowLength), _count);
        }
    }

    /// <summary>The divergences of the rows so far; NaN below two rows (for the whole: below two values).</summary>
    public GaussianDivergenceSummary Compute()
    {
        var sum = 0.0;
        for (var i = 0; i < _rowLength; i++)
        {
            var (a, b) = (_first.Std(i, _count) + LeastDeviation, _second.Std(i, _count) + LeastDeviation);
            sum += KlDivergence.Between(new(_count, _first.Mean[i], a), new(_count, _second.Mean[i], b));
        }

        var (whole, other) = (_first.Whole(_count), _second.Whole(_count));
        return new(KlDivergence.Between(whole, other), sum / _rowLength, whole, other);
    }

    /// <inheritdoc/>
    public void Merge(GaussianDivergence later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Shape, later.Shape);
        _first.Merge(_count, later._first, later._count);
        _second.Merge(_count, later._second, later._count);
        _count += later._count;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(_count);
        _first.Write(writer);
        _second.Write(writer);
    }

    /// <inheritdoc/>
    public static GaussianDivergence Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => Read(input, shape, AnalysisFormat.ReadCount(input)));
    }

    static GaussianDivergence Read(BinaryReader input, StateShape shape, long count)
    {
        var (first, second) = (PixelMoments.Read(input, RowCheck.Length(shape)), PixelMoments.Read(input, RowCheck.Length(shape)));
        return new GaussianDivergence(shape) { _count = count, _first = first, _second = second };
    }

    StateShape Shape => shape;
}
