using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// How much pixels vary among their neighbours, in plain areas and elsewhere: the population variance of each 3x3 window (0 beyond the
/// borders), as the mean over channels (upstream's <c>patch_var</c>, taba/metrics/pixel_diversity.py). Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of an image.</param>
/// <param name="threshold">As of <see cref="PlainMask"/>, whose mask of the same image is used.</param>
/// <exception cref="ArgumentException">An image has no value, or the threshold is not positive.</exception>
public sealed class PatchVariance(StateShape shape, float threshold = PlainMask.DefaultThreshold) : IPartialSums<PatchVariance>
{
    const string Name = "taba.patch-variance.1";
    const int Pixels = 9;

    readonly int _rowLength = RowCheck.Length(shape);
    readonly PlainMask _mask = new(shape, threshold);

    bool[] _plain = [];
    double[] _variances = [];
    long _insidePixels;
    long _outsidePixels;
    double _inside;
    double _outside;

    /// <summary>Means over pixels of all images so far, in squared units of the values; NaN where there are no such pixels.</summary>
    public PatchVarianceSummary Value => new(
        _inside / _insidePixels, _outside / _outsidePixels, (_inside + _outside) / (_insidePixels + _outsidePixels));

    /// <summary>Takes in whole rows, [n,C,H,W].</summary>
    /// <exception cref="ArgumentException">Not whole rows.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        RowCheck.Count(_rowLength, rows);
        if (_plain.Length == 0)
            (_plain, _variances) = (new bool[_rowLength / shape.Channels], new double[_rowLength / shape.Channels]);
        for (var at = 0; at < rows.Length; at += _rowLength)
        {
            var image = rows.Slice(at, _rowLength);
            var pixels = _mask.Find(image, _plain);
            _insidePixels += pixels;
            _outsidePixels += _plain.Length - pixels;
            Find(shape, image, _variances);
            var (inside, outside) = (0.0, 0.0);
            for (var i = 0; i < _plain.Length; i++)
            {
                if (_plain[i])
                    inside += _variances[i];
                else
                    outside += _variances[i];
            }

            _inside += inside;
            _outside += outside;
        }
    }

    /// <inheritdoc/>
    public void Merge(PatchVariance later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings((_mask.Shape, _mask.Threshold), (later._mask.Shape, later._mask.Threshold));
        _insidePixels += later._insidePixels;
        _outsidePixels += later._outsidePixels;
        _inside += later._inside;
        _outside += later._outside;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(_mask.Threshold);
        writer.Write(_insidePixels);
        writer.Write(_outsidePixels);
        writer.Write(_inside);
        writer.Write(_outside);
    }

    /// <inheritdoc/>
    public static PatchVariance Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new PatchVariance(shape, input.ReadSingle())
        {
            _insidePixels = AnalysisFormat.ReadCount(input),
            _outsidePixels = AnalysisFormat.ReadCount(input),
            _inside = input.ReadDouble(),
            _outside = input.ReadDouble(),
        });
    }

    /// <summary>The variance around each pixel of an image.</summary>
    internal static void Find(StateShape shape, ReadOnlySpan<float> image, Span<double> variances)
    {
        variances.Clear();
        var plane = shape.Height * shape.Width;
        for (var c = 0; c < shape.Channels; c++)
        {
            var channel = image.Slice(c * plane, plane);
            for (var i = 0; i < plane; i++)
                variances[i] += Variance(channel, shape.Height, shape.Width, i / shape.Width, i % shape.Width) / shape.Channels;
        }
    }

    static double Variance(ReadOnlySpan<float> channel, int height, int width, int y, int x)
    {
        var (top, bottom) = (Math.Max(0, y - 1), Math.Min(height - 1, y + 1));
        var (left, right) = (Math.Max(0, x - 1), Math.Min(width - 1, x + 1));
        var sum = 0.0;
        for (var row = top; row <= bottom; row++)
        {
            for (var column = left; column <= right; column++)
                sum += channel[(row * width) + column];
        }

        // Those beyond the borders are 0, and as far from the mean.
        var mean = sum / Pixels;
        var squares = (Pixels - ((bottom - top + 1) * (right - left + 1))) * mean * mean;
        for (var row = top; row <= bottom; row++)
        {
            for (var column = left; column <= right; column++)
                squares += (channel[(row * width) + column] - mean) * (channel[(row * width) + column] - mean);
        }

        return squares / Pixels;
    }
}
