namespace Taba.Diffusion.Tensors;

/// <summary>
/// Resizes 8-bit images with the cubic filter of Keys 1981 (a = -1/2), widened by the factor of reduction so that no detail
/// aliases: what Pillow calls BICUBIC and torchvision bicubic with antialias. First across, then down, rounded to 8 bits after each;
/// with weights of 22 bits, as Pillow's, so that its pixels are met exactly, on any processor.
/// </summary>
static class PixelResize
{
    const double A = -0.5;
    const double Radius = 2;

    /// <summary>Bits of a weight behind the point: with 8 of the pixel and 2 to spare a sum fits an int.</summary>
    const int Bits = 22;
    const int Half = 1 << (Bits - 1);

    /// <summary>Interleaved pixels [height, width, channels] at another size.</summary>
    internal static byte[] Bicubic(byte[] pixels, int height, int width, int channels, int toHeight, int toWidth)
    {
        var across = width == toWidth ? pixels : Across(pixels, height, width, channels, toWidth);
        return height == toHeight ? across : Down(across, height, toWidth * channels, toHeight);
    }

    static byte[] Across(byte[] pixels, int height, int width, int channels, int toWidth)
    {
        var taps = Taps(width, toWidth);
        var result = new byte[height * toWidth * channels];
        for (var y = 0; y < height; y++)
        {
            var line = pixels.AsSpan(y * width * channels, width * channels);
            var to = result.AsSpan(y * toWidth * channels, toWidth * channels);
            for (var x = 0; x < toWidth; x++)
            {
                var (first, weights) = taps[x];
                for (var c = 0; c < channels; c++)
                {
                    var sum = Half;
                    for (var k = 0; k < weights.Length; k++)
                        sum += weights[k] * line[(first + k) * channels + c];
                    to[x * channels + c] = Pixel(sum);
                }
            }
        }

        return result;
    }

    static byte[] Down(byte[] pixels, int height, int stride, int toHeight)
    {
        var taps = Taps(height, toHeight);
        var result = new byte[toHeight * stride];
        var sums = new int[stride];
        for (var y = 0; y < toHeight; y++)
        {
            var (first, weights) = taps[y];
            Array.Fill(sums, Half);
            for (var k = 0; k < weights.Length; k++)
            {
                var line = pixels.AsSpan((first + k) * stride, stride);
                for (var i = 0; i < stride; i++)
                    sums[i] += weights[k] * line[i];
            }

            var to = result.AsSpan(y * stride, stride);
            for (var i = 0; i < stride; i++)
                to[i] = Pixel(sums[i]);
        }

        return result;
    }

    /// <summary>For each place of the result the first pixel that counts and the weights from it on, which sum to about 2^22.</summary>
    static (int First, int[] Weights)[] Taps(int from, int to)
    {
        var scale = (double)from / to;
        var stretch = Math.Max(scale, 1);
        var support = Radius * stretch;
        var taps = new (int, int[])[to];
        for (var place = 0; place < to; place++)
        {
            var center = (place + 0.5) * scale;
            var first = Math.Max(0, (int)(center - support + 0.5));
            var end = Math.Min(from, (int)(center + support + 0.5));
            var weights = new double[end - first];
            for (var k = 0; k < weights.Length; k++)
                weights[k] = Cubic((first + k - center + 0.5) / stretch);
            var sum = weights.Sum();
            taps[
                place] = (first, [.. weights.Select(weight => (int)Math.Round(weight / sum * (1 << Bits), MidpointRounding.AwayFromZero))]);
        }

        return taps;
    }

    static double Cubic(double x)
    {
        x = Math.Abs(x);
        if (x < 1)
            return ((A + 2) * x - (A + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }

    static byte Pixel(int sum) => (byte)Math.Clamp(sum >> Bits, 0, 255);
}
