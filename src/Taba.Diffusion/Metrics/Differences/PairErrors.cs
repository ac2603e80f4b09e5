using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Differences;

/// <summary>
/// How far the rows of one tensor are from those of another: absolute, squared, L2, and as a signal-to-noise ratio. Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of a row.</param>
/// <param name="peak">
/// The largest value of a signal, above 0. 255 is OpenCV's default, which upstream leaves even for values between -1 and 1
/// (<c>calculate_psnr</c>, taba/metrics/alignment.py).
/// </param>
/// <exception cref="ArgumentException">A row has no value, or the peak is not positive.</exception>
public sealed class PairErrors(StateShape shape, double peak = PairErrors.DefaultPeak) : IPartialSums<PairErrors>
{
    /// <summary>OpenCV's.</summary>
    public const double DefaultPeak = 255;

    const string Name = "taba.pair-errors.1";

    // OpenCV adds DBL_EPSILON to the root: equal rows have about 361 dB at peak 255, not infinitely many.
    const double Epsilon = 2.220446049250313e-16;

    readonly int _rowLength = RowCheck.Length(shape);
    readonly double _peak = peak > 0 && double.IsFinite(peak)
        ? peak : throw new ArgumentOutOfRangeException(nameof(peak), peak, "The peak of a signal is above 0.");

    double _absolute;
    double _squared;
    RunningMoments _distances;
    RunningMoments _ratios;

    /// <summary>The numbers of the rows so far; NaN without rows.</summary>
    public PairErrorsSummary Value
    {
        get
        {
            var values = _distances.Count * (double)_rowLength;
            return new(_distances.Count, _absolute / values, _squared / values, _distances.Unbiased, _ratios.Population);
        }
    }

    /// <summary>Takes in whole rows, [n,C,H,W] of each tensor.</summary>
    /// <exception cref="ArgumentException">Not whole rows, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        RowCheck.Count(_rowLength, first, second);
        for (var at = 0; at < first.Length; at += _rowLength)
        {
            var (squares, absolute) = Products.OfDifference(first.Slice(at, _rowLength), second.Slice(at, _rowLength));
            _absolute += absolute;
            _squared += squares;
            _distances.Add(Math.Sqrt(squares));
            _ratios.Add(20 * Math.Log10(_peak / (Math.Sqrt(squares / _rowLength) + Epsilon)));
        }
    }

    /// <inheritdoc/>
    public void Merge(PairErrors later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        _absolute += later._absolute;
        _squared += later._squared;
        _distances.Merge(later._distances);
        _ratios.Merge(later._ratios);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(_peak);
        writer.Write(_absolute);
        writer.Write(_squared);
        _distances.Write(writer);
        _ratios.Write(writer);
    }

    /// <inheritdoc/>
    public static PairErrors Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new PairErrors(shape, input.ReadDouble())
        {
            _absolute = input.ReadDouble(),
            _squared = input.ReadDouble(),
            _distances = RunningMoments.Read(input),
            _ratios = RunningMoments.Read(input),
        });
    }

    (StateShape Shape, double Peak) Settings => (shape, _peak);
}
