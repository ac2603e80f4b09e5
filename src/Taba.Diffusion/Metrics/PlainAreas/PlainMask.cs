using System.Numerics.Tensors;
using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// Which pixels of an image are plain: hardly different from the ones below and to the right, in every channel (upstream's
/// <c>find_plain_areas</c>, taba/exp_pipelines/plain_masks.py). Reckoned in float32, as there. Not thread-safe.
/// </summary>
/// <remarks>
/// There is no pixel below the last row or beyond the last column; upstream takes that difference to be 0, which makes both borders plainer
/// than the inside, and the last corner always plain. So does this.
/// </remarks>
/// <param name="shape">C,H,W of an image.</param>
/// <param name="threshold">
/// Above 0, in units of the values as they are given: 0.025 of values between 0 and 1 is twice as lenient as of values between -1 and 1.
/// </param>
/// <exception cref="ArgumentException">An image has no value, or the threshold is not positive.</exception>
public sealed class PlainMask(StateShape shape, float threshold = PlainMask.DefaultThreshold)
{
    /// <summary>Upstream's.</summary>
    public const float DefaultThreshold = 0.025f;

    readonly int _length = RowCheck.Length(shape);

    float[] _below = [];
    float[] _right = [];

    /// <summary>C,H,W of an image.</summary>
    public StateShape Shape => shape;

    /// <summary>Half of the two differences must be smaller.</summary>
    public float Threshold { get; } = threshold > 0 && float.IsFinite(threshold)
        ? threshold : throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold of plain areas is above 0.");

    /// <summary>Finds the plain pixels of one image. A difference that is no number is not plain.</summary>
    /// <param name="image">[C,H,W]</param>
    /// <param name="plain">[H,W], overwritten.</param>
    /// <returns>The number of plain pixels.</returns>
    /// <exception cref="ArgumentException">A length is another.</exception>
    public int Find(ReadOnlySpan<float> image, Span<bool> plain)
    {
        if (image.Length != _length || plain.Length != _length / shape.Channels)
            throw new ArgumentException($"A mask of {shape} cannot be found in {image.Length} values for {plain.Length} pixels.");
        if (_below.Length == 0)
            (_below, _right) = (new float[shape.Width], new float[shape.Width]);

        plain.Fill(true);
        for (var line = 0; line < shape.Channels * shape.Height; line++)
        {
            var y = line % shape.Height;
            Differences(image, line * shape.Width, y + 1 < shape.Height);
            var pixels = plain.Slice(y * shape.Width, shape.Width);
            for (var x = 0; x < pixels.Length; x++)
                pixels[x] &= (_below[x] + _right[x]) / 2 < Threshold;
        }

        return plain.Count(true);
    }

    void Differences(ReadOnlySpan<float> image, int at, bool hasLineBelow)
    {
        var line = image.Slice(at, shape.Width);
        if (hasLineBelow)
        {
            TensorPrimitives.Subtract(image.Slice(at + shape.Width, shape.Width), line, _below);
            TensorPrimitives.Abs(_below, _below);
        }
        else
        {
            Array.Clear(_below);
        }

        var inside = _right.AsSpan(0, shape.Width - 1);
        TensorPrimitives.Subtract(line[1..], line[..^1], inside);
        TensorPrimitives.Abs(inside, inside);
        _right[^1] = 0;
    }
}
