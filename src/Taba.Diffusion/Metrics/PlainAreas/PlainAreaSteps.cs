using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// Errors and deviations in the plain areas of images and elsewhere, for each of several steps. With one step, of latents (prediction)
/// against noise (truth); with all steps of a trajectory, of the network's predictions in inversion against those of sampling, which shows
/// the steps that cause the error. Not thread-safe.
/// </summary>
/// <remarks>
/// The paper's table of plain areas has no script: which tensor, range and resolution its mask is of is not published. Here the mask is
/// found in the images that are given, as they are; a caller states range and resolution beside the numbers, and no equality with the
/// table is claimed.
/// </remarks>
/// <param name="shape">C,H,W of prediction and truth.</param>
/// <param name="images">
/// C,H,W of the images. Where their size is not that of <paramref name="shape"/> (latent models), they are resized to it by bicubic
/// interpolation before the mask is found.
/// </param>
/// <param name="steps">Steps, 1 or more.</param>
/// <param name="threshold">As of <see cref="PlainMask"/>.</param>
/// <exception cref="ArgumentException">A row has no value, or a setting is out of its range.</exception>
public sealed class PlainAreaSteps(StateShape shape, StateShape images, int steps = 1, float threshold = PlainMask.DefaultThreshold)
    : IPartialSums<PlainAreaSteps>
{
    const string Name = "taba.plain-area-steps.1";

    readonly int _rowLength = RowCheck.Length(shape);
    readonly int _imageLength = RowCheck.Length(images);
    readonly PlainMask _mask = new(images with { Height = shape.Height, Width = shape.Width }, threshold);

    bool[] _plain = [];
    BicubicResize? _resize;
    float[] _resized = [];

    AreaSums[] _inside = new AreaSums[steps > 0 ? steps : throw new ArgumentOutOfRangeException(nameof(steps), steps, "A step at least.")];
    AreaSums[] _outside = new AreaSums[steps];

    /// <summary>Steps that are told apart.</summary>
    public int Steps => _inside.Length;

    /// <summary>
    /// The entry of sampling's predictions that inversion step k should have predicted: both pass the same interval of noise levels, in
    /// opposite order.
    /// </summary>
    public static int TruthOf(int inversionStep, int steps) => steps - 1 - inversionStep;

    /// <summary>The numbers of each step so far.</summary>
    public IReadOnlyList<PlainAreaErrors> Compute() =>
        [.. _inside.Zip(_outside, (inside, outside) => new PlainAreaErrors(
            inside.Values / (double)(inside.Values + outside.Values), inside.Value, outside.Value))];

    /// <summary>Takes in whole rows of one step.</summary>
    /// <param name="step">0 to <see cref="Steps"/> - 1.</param>
    /// <param name="imageRows">[n,C,H,W], in which the mask is found; the same at every step.</param>
    /// <param name="predicted">[n,C,H,W]</param>
    /// <param name="truth">[n,C,H,W]; of a trajectory, sampling's entry <see cref="TruthOf"/>.</param>
    /// <exception cref="ArgumentException">Not whole rows, not as many of each, or no such step.</exception>
    public void Add(int step, ReadOnlySpan<float> imageRows, ReadOnlySpan<float> predicted, ReadOnlySpan<float> truth)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, Steps);
        var rows = RowCheck.Count(_rowLength, predicted, truth);
        if (RowCheck.Count(_imageLength, imageRows) != rows)
            throw new ArgumentException($"There are {rows} rows and {imageRows.Length / _imageLength} images.");
        if (_plain.Length == 0)
            _plain = new bool[_rowLength / shape.Channels];

        for (var row = 0; row < rows; row++)
        {
            var pixels = _mask.Find(InSize(imageRows.Slice(row * _imageLength, _imageLength)), _plain);
            var p = predicted.Slice(row * _rowLength, _rowLength);
            var t = truth.Slice(row * _rowLength, _rowLength);
            _inside[step].Add(p, t, _plain, true, pixels);
            _outside[step].Add(p, t, _plain, false, _plain.Length - pixels);
        }
    }

    /// <inheritdoc/>
    public void Merge(PlainAreaSteps later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        for (var step = 0; step < Steps; step++)
        {
            _inside[step].Merge(later._inside[step]);
            _outside[step].Merge(later._outside[step]);
        }
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(images);
        writer.Write(Steps);
        writer.Write(_mask.Threshold);
        for (var step = 0; step < Steps; step++)
        {
            _inside[step].Write(writer);
            _outside[step].Write(writer);
        }
    }

    /// <inheritdoc/>
    public static PlainAreaSteps Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) =>
        {
            var (images, steps, threshold) = (input.ReadShape(), AnalysisFormat.ReadSteps(input), input.ReadSingle());
            var (inside, outside) = (new List<AreaSums>(), new List<AreaSums>());
            for (var step = 0; step < steps; step++)
            {
                inside.Add(AreaSums.Read(input));
                outside.Add(AreaSums.Read(input));
            }

            return new PlainAreaSteps(shape, images, steps, threshold)
            {
                _inside = [.. inside],
                _outside = [.. outside],
            };
        });
    }

    (StateShape Shape, StateShape Images, int Steps, float Threshold) Settings => (shape, images, Steps, _mask.Threshold);

    /// <summary>An image in the size of the states; what is given back holds until the next one.</summary>
    ReadOnlySpan<float> InSize(ReadOnlySpan<float> image)
    {
        if ((images.Height, images.Width) == (shape.Height, shape.Width))
            return image;
        if (_resize is null)
        {
            _resize = new BicubicResize(images, shape.Height, shape.Width);
            _resized = new float[images.Channels * _plain.Length];
        }

        _resize.Apply(image, _resized);
        return _resized;
    }
}
