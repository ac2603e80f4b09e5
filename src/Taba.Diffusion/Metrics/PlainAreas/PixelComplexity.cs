using System.IO.Compression;
using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// How much is in an image, by the frequency of its values and by the length of its compressed picture (upstream's <c>shannon_entropy</c>
/// and <c>kolmogorov_complexity</c>, taba/metrics/pixel_diversity.py). Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of an image; C is 1 (grey), 3 (RGB) or 4.</param>
/// <param name="scale">What the values mean.</param>
/// <exception cref="ArgumentException">An image has no value or another number of channels, or there is no such scale.</exception>
public sealed class PixelComplexity(StateShape shape, PixelScale scale = PixelScale.Signed) : IPartialSums<PixelComplexity>
{
    const string Name = "taba.pixel-complexity.1";

    readonly int _rowLength = shape.Channels is 1 or 3 or 4
        ? RowCheck.Length(shape) : throw new ArgumentException($"A picture cannot be made of {shape}.", nameof(shape));

    readonly PixelScale _scale = PixelBytes.Known(scale);

    RunningMoments _entropy;
    RunningMoments _length;

    /// <summary>
    /// Entropy in bits a value, 0 to 8, of the 256 byte values of all channels together; mean and population deviation over images.
    /// </summary>
    public MeanStd Entropy => _entropy.Population;

    /// <summary>
    /// Bytes of the picture, compressed as OpenCV writes a PNG and once more by zlib; mean and population deviation over images. It
    /// depends on the encoder: compare within 5 %.
    /// </summary>
    public MeanStd CompressedLength => _length.Population;

    /// <summary>Takes in whole rows, [n,C,H,W].</summary>
    /// <exception cref="ArgumentException">Not whole rows.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        RowCheck.Count(_rowLength, rows);
        for (var at = 0; at < rows.Length; at += _rowLength)
        {
            var picture = Interleaved(rows.Slice(at, _rowLength));
            _entropy.Add(EntropyOf(picture));
            _length.Add(LengthOf(picture));
        }
    }

    /// <inheritdoc/>
    public void Merge(PixelComplexity later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        _entropy.Merge(later._entropy);
        _length.Merge(later._length);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write((int)_scale);
        _entropy.Write(writer);
        _length.Write(writer);
    }

    /// <inheritdoc/>
    public static PixelComplexity Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new PixelComplexity(shape, (PixelScale)input.ReadInt32())
        {
            _entropy = RunningMoments.Read(input),
            _length = RunningMoments.Read(input),
        });
    }

    (StateShape Shape, PixelScale Scale) Settings => (shape, _scale);

    byte[] Interleaved(ReadOnlySpan<float> image)
    {
        var plane = shape.Height * shape.Width;
        var picture = new byte[_rowLength];
        for (var c = 0; c < shape.Channels; c++)
        {
            for (var i = 0; i < plane; i++)
                picture[(i * shape.Channels) + c] = PixelBytes.Of(image[(c * plane) + i], _scale);
        }

        return picture;
    }

    static double EntropyOf(byte[] values)
    {
        Span<int> histogram = stackalloc int[256];
        histogram.Clear();
        foreach (var value in values)
            histogram[value]++;
        var entropy = 0.0;
        foreach (var count in histogram)
        {
            if (count > 0)
                entropy -= (double)count / values.Length * Math.Log2((double)count / values.Length);
        }

        return entropy;
    }

    int LengthOf(byte[] picture)
    {
        var file = PngFile.AsOpenCvWrites(picture, shape.Channels, shape.Height, shape.Width);
        return PngFile.Deflated(file, 6, ZLibCompressionStrategy.Default).Length;
    }
}
