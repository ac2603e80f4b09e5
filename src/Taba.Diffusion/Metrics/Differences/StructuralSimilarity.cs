using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Differences;

/// <summary>
/// SSIM (Wang et al. 2004, equation 13) of pairs of images with scikit-image's defaults, as upstream calls it
/// (<c>calculate_ssim</c>, taba/metrics/alignment.py): each channel alone, uniform windows of 7x7, sample covariances, K1 0.01 and
/// K2 0.03, the mean of all windows that lie inside, then of the channels. 1 for equal images, -1 at least. Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of a row; both sides 7 or more.</param>
/// <param name="dataRange">
/// Largest less smallest possible value, above 0. Upstream says 1 even for images between -1 and 1, whose range is 2.
/// </param>
/// <exception cref="ArgumentException">An image is smaller than a window, or the range is not positive.</exception>
public sealed class StructuralSimilarity(StateShape shape, double dataRange = 1) : IPartialSums<StructuralSimilarity>
{
    /// <summary>Pixels of a window's side.</summary>
    public const int Window = 7;

    const string Name = "taba.structural-similarity.1";
    const double K1 = 0.01;
    const double K2 = 0.03;
    const double Pixels = Window * Window;

    // Moments of a window: sums of x, y, x², y², xy.
    const int Sums = 5;

    readonly int _rowLength = shape.Height >= Window && shape.Width >= Window
        ? RowCheck.Length(shape)
        : throw new ArgumentException($"Structural similarity needs images of {Window}x{Window} at least, not {shape}.", nameof(shape));

    readonly double _dataRange = dataRange > 0 && double.IsFinite(dataRange)
        ? dataRange : throw new ArgumentOutOfRangeException(nameof(dataRange), dataRange, "A range of values is above 0.");

    // Sums of the last 7 pixel rows, by column.
    double[] _columns = [];

    RunningMoments _similarities;

    /// <summary>Mean and population deviation over pairs; NaN without pairs.</summary>
    public MeanStd Value => _similarities.Population;

    /// <summary>Takes in whole rows, [n,C,H,W] of each tensor.</summary>
    /// <exception cref="ArgumentException">Not whole rows, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        RowCheck.Count(_rowLength, first, second);
        if (_columns.Length == 0)
            _columns = new double[Sums * shape.Width];
        var plane = shape.Height * shape.Width;
        for (var at = 0; at < first.Length; at += _rowLength)
        {
            var sum = 0.0;
            for (var c = 0; c < shape.Channels; c++)
                sum += OfPlane(first.Slice(at + (c * plane), plane), second.Slice(at + (c * plane), plane));
            _similarities.Add(sum / shape.Channels);
        }
    }

    /// <inheritdoc/>
    public void Merge(StructuralSimilarity later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        _similarities.Merge(later._similarities);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(_dataRange);
        _similarities.Write(writer);
    }

    /// <inheritdoc/>
    public static StructuralSimilarity Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new StructuralSimilarity(shape, input.ReadDouble())
        {
            _similarities = RunningMoments.Read(input),
        });
    }

    (StateShape Shape, double DataRange) Settings => (shape, _dataRange);

    double OfPlane(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var total = 0.0;
        Span<double> window = stackalloc double[Sums];
        for (var bottom = Window - 1; bottom < shape.Height; bottom++)
        {
            SumColumns(x, y, bottom - Window + 1);
            window.Clear();
            for (var right = 0; right < shape.Width; right++)
            {
                for (var s = 0; s < Sums; s++)
                    window[s] += _columns[(s * shape.Width) + right] - (right >= Window ? _columns[(s * shape.Width) + right - Window] : 0);
                if (right >= Window - 1)
                    total += OfWindow(window);
            }
        }

        return total / ((shape.Height - Window + 1) * (shape.Width - Window + 1));
    }

    void SumColumns(ReadOnlySpan<float> x, ReadOnlySpan<float> y, int top)
    {
        var width = shape.Width;
        Array.Clear(_columns);
        for (var row = top; row < top + Window; row++)
        {
            for (var column = 0; column < width; column++)
            {
                double a = x[(row * width) + column], b = y[(row * width) + column];
                _columns[column] += a;
                _columns[width + column] += b;
                _columns[(2 * width) + column] += a * a;
                _columns[(3 * width) + column] += b * b;
                _columns[(4 * width) + column] += a * b;
            }
        }
    }

    double OfWindow(ReadOnlySpan<double> window)
    {
        var (c1, c2) = (K1 * _dataRange * K1 * _dataRange, K2 * _dataRange * K2 * _dataRange);
        var (meanX, meanY) = (window[0] / Pixels, window[1] / Pixels);
        var varianceX = (window[2] - (Pixels * meanX * meanX)) / (Pixels - 1);
        var varianceY = (window[3] - (Pixels * meanY * meanY)) / (Pixels - 1);
        var covariance = (window[4] - (Pixels * meanX * meanY)) / (Pixels - 1);
        return ((2 * meanX * meanY) + c1) * ((2 * covariance) + c2)
            / (((meanX * meanX) + (meanY * meanY) + c1) * (varianceX + varianceY + c2));
    }
}
