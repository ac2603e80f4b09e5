using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// Bits that a PNG takes for a pixel of plain areas and of the others: of each image, the pixels of one kind in reading order are one
/// line of a picture (upstream's <c>png_bpp</c>, taba/metrics/pixel_diversity.py, level 9). The number depends on the encoder: compare
/// within 1 %. Not thread-safe.
/// </summary>
/// <remarks>
/// Upstream divides by all images, also those that have no such pixel, which makes the number too low; and it takes values for signed as
/// soon as one of them in the whole tensor is negative, which a stream cannot know: here the scale is a setting.
/// </remarks>
/// <param name="shape">3,H,W of an image.</param>
/// <param name="scale">What the values mean.</param>
/// <param name="threshold">As of <see cref="PlainMask"/>, whose mask of the same image is used.</param>
/// <exception cref="ArgumentException">Not three channels, an image has no value, or a setting is out of its range.</exception>
public sealed class PngBits(StateShape shape, PixelScale scale = PixelScale.Signed, float threshold = PlainMask.DefaultThreshold)
    : IPartialSums<PngBits>
{
    const string Name = "taba.png-bits.1";

    readonly int _rowLength = shape.Channels == 3
        ? RowCheck.Length(shape) : throw new ArgumentException($"Bits of RGB pixels cannot be taken of {shape}.", nameof(shape));

    readonly PlainMask _mask = new(shape, threshold);
    readonly PixelScale _scale = PixelBytes.Known(scale);

    bool[] _plain = [];
    long _images;
    long _imagesInside;
    long _imagesOutside;
    double _inside;
    double _outside;

    /// <summary>Bits of a pixel, as means over images; NaN without images.</summary>
    public PngBitsSummary Value =>
        new(_inside / _imagesInside, _outside / _imagesOutside, _inside / _images, _outside / _images);

    /// <summary>Takes in whole rows, [n,3,H,W].</summary>
    /// <exception cref="ArgumentException">Not whole rows.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        RowCheck.Count(_rowLength, rows);
        if (_plain.Length == 0)
            _plain = new bool[_rowLength / 3];
        for (var at = 0; at < rows.Length; at += _rowLength)
        {
            var image = rows.Slice(at, _rowLength);
            var pixels = _mask.Find(image, _plain);
            _images++;
            Add(image, true, pixels, ref _imagesInside, ref _inside);
            Add(image, false, _plain.Length - pixels, ref _imagesOutside, ref _outside);
        }
    }

    /// <inheritdoc/>
    public void Merge(PngBits later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        _images += later._images;
        _imagesInside += later._imagesInside;
        _imagesOutside += later._imagesOutside;
        _inside += later._inside;
        _outside += later._outside;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write((int)_scale);
        writer.Write(_mask.Threshold);
        writer.Write(_images);
        writer.Write(_imagesInside);
        writer.Write(_imagesOutside);
        writer.Write(_inside);
        writer.Write(_outside);
    }

    /// <inheritdoc/>
    public static PngBits Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new PngBits(shape, (PixelScale)input.ReadInt32(), input.ReadSingle())
        {
            _images = AnalysisFormat.ReadCount(input),
            _imagesInside = AnalysisFormat.ReadCount(input),
            _imagesOutside = AnalysisFormat.ReadCount(input),
            _inside = input.ReadDouble(),
            _outside = input.ReadDouble(),
        });
    }

    (StateShape Shape, PixelScale Scale, float Threshold) Settings => (_mask.Shape, _scale, _mask.Threshold);

    void Add(ReadOnlySpan<float> image, bool wanted, int pixels, ref long images, ref double bits)
    {
        if (pixels == 0)
            return;
        var line = new byte[3 * pixels];
        var at = 0;
        for (var i = 0; i < _plain.Length; i++)
        {
            if (_plain[i] != wanted)
                continue;
            for (var c = 0; c < 3; c++)
                line[at++] = PixelBytes.Of(image[(c * _plain.Length) + i], _scale);
        }

        images++;
        bits += PngFile.LengthOfLine(line) * 8.0 / pixels;
    }
}
