using Taba.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>What networks of features are given for pictures whose values lie in [-1,1]: bytes first, since upstream reads PNGs.</summary>
public static class PictureInput
{
    /// <summary>
    /// Through 8 bits and back: (x/2 + ½) clamped, times 255, rounded to even; then over 127.5 less 1 (upstream's diversity script, for
    /// LPIPS).
    /// </summary>
    /// <param name="values">Any number of values.</param>
    /// <param name="quantised">As many.</param>
    public static void Quantised(ReadOnlySpan<float> values, Span<float> quantised)
    {
        for (var i = 0; i < values.Length; i++)
            quantised[i] = (float)((Byte(values[i], rounded: true) / 127.5) - 1);
    }

    /// <summary>Channels innermost, 8 bits: what a PNG of the picture holds.</summary>
    /// <param name="picture">[3,H,W] in [-1,1].</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="rounded">Whether 8 bits are rounded to even (diversity) or cut off (what FID is measured of).</param>
    /// <returns>[H,W,3].</returns>
    public static byte[] Bytes(ReadOnlySpan<float> picture, int height, int width, bool rounded)
    {
        var plane = height * width;
        var bytes = new byte[3 * plane];
        for (var i = 0; i < plane; i++)
        {
            for (var c = 0; c < 3; c++)
                bytes[(3 * i) + c] = Byte(picture[(c * plane) + i], rounded);
        }

        return bytes;
    }

    /// <summary>
    /// The shorter side to <paramref name="side"/> by Pillow's bicubic filter, the middle square of <paramref name="crop"/>, then less mean
    /// and over deviation on the scale of [0,1] (DINO: 256 and 224; CLIP: 224 and 224).
    /// </summary>
    /// <param name="bytes">[H,W,3].</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="side">At least <paramref name="crop"/>.</param>
    /// <param name="crop">Of the result.</param>
    /// <param name="mean">Of the three channels.</param>
    /// <param name="deviation">Of the three channels.</param>
    /// <returns>[3,crop,crop].</returns>
    public static float[] Cropped(
        byte[] bytes, int height, int width, int side, int crop, ReadOnlySpan<float> mean, ReadOnlySpan<float> deviation)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(side, crop);
        var shorter = Math.Min(height, width);
        var (toHeight, toWidth) = ((int)((long)height * side / shorter), (int)((long)width * side / shorter));
        var resized = PixelResize.Bicubic(bytes, height, width, 3, toHeight, toWidth);
        var (top, left) = ((toHeight - crop) / 2, (toWidth - crop) / 2);
        var result = new float[3 * crop * crop];
        for (var y = 0; y < crop; y++)
        {
            for (var x = 0; x < crop; x++)
            {
                for (var c = 0; c < 3; c++)
                {
                    var value = resized[((((top + y) * toWidth) + left + x) * 3) + c] / 255f;
                    result[(((c * crop) + y) * crop) + x] = (value - mean[c]) / deviation[c];
                }
            }
        }

        return result;
    }

    /// <summary>By Pillow's bicubic filter to a square, whatever the proportions were (DreamSim).</summary>
    /// <param name="bytes">[H,W,3].</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="side">Of the result.</param>
    /// <returns>[3,side,side] from 0 to 1.</returns>
    public static float[] Squeezed(byte[] bytes, int height, int width, int side)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var resized = PixelResize.Bicubic(bytes, height, width, 3, side, side);
        var plane = side * side;
        var result = new float[3 * plane];
        for (var i = 0; i < result.Length; i++)
            result[i] = resized[(i % plane * 3) + (i / plane)] / 255f;
        return result;
    }

    /// <summary>
    /// Bilinear as TensorFlow 1 did it: the source is the target times the scale, without half a pixel's shift and without widening where
    /// the picture shrinks (torch-fidelity, for Inception and VGG).
    /// </summary>
    /// <param name="bytes">[H,W,3].</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="side">Of the result.</param>
    /// <returns>[3,side,side] from 0 to 255.</returns>
    public static float[] LikeTensorFlow1(byte[] bytes, int height, int width, int side)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var (scaleY, scaleX) = ((float)height / side, (float)width / side);
        var result = new float[3 * side * side];
        for (var y = 0; y < side; y++)
        {
            var (top, down) = ((int)(y * scaleY), (y * scaleY) - (int)(y * scaleY));
            var bottom = Math.Min(top + 1, height - 1);
            for (var x = 0; x < side; x++)
            {
                var (left, across) = ((int)(x * scaleX), (x * scaleX) - (int)(x * scaleX));
                var right = Math.Min(left + 1, width - 1);
                for (var c = 0; c < 3; c++)
                {
                    var (a, b) = (At(top, left), At(top, right));
                    var (p, q) = (At(bottom, left), At(bottom, right));
                    var (above, below) = (a + ((b - a) * across), p + ((q - p) * across));
                    result[(((c * side) + y) * side) + x] = above + ((below - above) * down);

                    float At(int row, int column) => bytes[(((row * width) + column) * 3) + c];
                }
            }
        }

        return result;
    }

    /// <summary>[1,3,1,1].</summary>
    internal static Tensor PerChannel(Device device, float red, float green, float blue)
    {
        using var scope = NewDisposeScope();
        return tensor(new[] { red, green, blue }).reshape(1, 3, 1, 1).to(device).DetachFromDisposeScope();
    }

    static byte Byte(float value, bool rounded)
    {
        var scaled = Math.Clamp((value / 2) + 0.5f, 0, 1) * 255;
        return (byte)(rounded ? MathF.Round(scaled, MidpointRounding.ToEven) : scaled);
    }
}
