using SkiaSharp;

namespace Taba.Silo.Pictures;

/// <summary>Draws images side by side into a PNG.</summary>
public static class PictureGrid
{
    const int Columns = 8;
    const int Gap = 2;

    /// <summary>Images smaller than this are magnified, pixel by pixel.</summary>
    const int SmallestTile = 96;

    /// <summary>
    /// The PNG of <paramref name="images"/>, [n,C,H,W] flat. One channel is grey; of more than three, the first three are drawn.
    /// </summary>
    public static byte[] Png(ReadOnlySpan<float> images, int channels, int height, int width, ValueRange range)
    {
        return Png(images, channels, height, width, range, Math.Max(1, SmallestTile / Math.Max(height, width)));
    }

    /// <summary>One image, [C,H,W].</summary>
    /// <param name="scale">How many pixels of the picture are one of the image, on a side; 1 or more.</param>
    public static byte[] Single(
        ReadOnlySpan<float> image, int channels, int height, int width, ValueRange range, int scale = 1) =>
        Png(image, channels, height, width, range, scale);

    static byte[] Png(ReadOnlySpan<float> images, int channels, int height, int width, ValueRange range, int scale)
    {
        var plane = height * width;
        var count = images.Length / (channels * plane);
        var columns = Math.Min(Columns, Math.Max(1, count));
        var rows = Math.Max(1, (count + columns - 1) / columns);
        var (tileWidth, tileHeight) = (width * scale + Gap, height * scale + Gap);
        using var bitmap = new SKBitmap(
            new SKImageInfo(columns * tileWidth - Gap, rows * tileHeight - Gap, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(SKColors.Transparent);
        var pixels = bitmap.GetPixelSpan();
        for (var n = 0; n < count; n++)
        {
            var image = images.Slice(n * channels * plane, channels * plane);
            Draw(pixels, bitmap.RowBytes, image, n % columns * tileWidth, n / columns * tileHeight, channels, height, width, scale, range);
        }
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    static void Draw(
        Span<byte> pixels, int stride, ReadOnlySpan<float> image, int left, int top, int channels, int height, int width, int scale,
        ValueRange range)
    {
        var plane = height * width;
        for (var y = 0; y < height * scale; y++)
        {
            var line = pixels.Slice((top + y) * stride + left * 4, width * scale * 4);
            for (var x = 0; x < width * scale; x++)
            {
                var at = y / scale * width + x / scale;
                var (r, g, b) = channels < 3
                    ? (image[at], image[at], image[at])
                    : (image[at], image[plane + at], image[2 * plane + at]);
                line[4 * x] = range.Byte(r);
                line[4 * x + 1] = range.Byte(g);
                line[4 * x + 2] = range.Byte(b);
                line[4 * x + 3] = 255;
            }
        }
    }
}
