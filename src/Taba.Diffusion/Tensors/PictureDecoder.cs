using SkiaSharp;

namespace Taba.Diffusion.Tensors;

/// <summary>Decodes a PNG or JPEG to opaque 8-bit colour.</summary>
static class PictureDecoder
{
    /// <summary>67 million pixels, 270 MB while decoded: a photograph has up to 60 million.</summary>
    internal const long MaxPixels = 1L << 26;

    const int MaxSide = 1 << 15;

    /// <summary>The pixels [height, width, 3], upright as EXIF says, transparent ones over white, without colour management.</summary>
    /// <exception cref="InvalidDataException">
    /// The bytes are no PNG or JPEG, are damaged, or the picture is too large; the size is checked before it is decoded.
    /// </exception>
    internal static (byte[] Pixels, int Height, int Width) Decode(byte[] file, string path)
    {
        using var data = SKData.CreateCopy(file);
        using var codec = SKCodec.Create(data) ?? throw new InvalidDataException(
            $"{path} is no picture that can be read; it is damaged or of another kind.");
        if (codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg))
            throw new InvalidDataException($"{path} is a {codec.EncodedFormat} picture; PNG and JPEG are read.");

        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width is < 1 or > MaxSide || height is < 1 or > MaxSide || (long)width * height > MaxPixels)
            throw new InvalidDataException(
                $"{path} is {width} pixels wide and {height} high; at most {MaxPixels} pixels, {MaxSide} a side, are read.");

        var rgba = Rgba(codec, width, height, path);
        var origin = codec.EncodedFormat is SKEncodedImageFormat.Png ? PngOrientation.Of(file) : codec.EncodedOrigin;
        return Upright(rgba, height, width, origin);
    }

    static unsafe byte[] Rgba(SKCodec codec, int width, int height, string path)
    {
        // Without a colour space nothing is converted: the numbers of the file are the pixels.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, null);
        var rgba = GC.AllocateUninitializedArray<byte>(info.BytesSize);
        fixed (byte* pixels = rgba)
        {
            var result = codec.GetPixels(info, (nint)pixels);
            return result == SKCodecResult.Success
                ? rgba
                : throw new InvalidDataException(
                    $"{path} is damaged or was cut short: its {height} rows of pixels cannot all be decoded ({result}).");
        }
    }

    static (byte[] Pixels, int Height, int Width) Upright(byte[] rgba, int height, int width, SKEncodedOrigin origin)
    {
        var turned =
            origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        var (toHeight, toWidth) = turned ? (width, height) : (height, width);
        var pixels = GC.AllocateUninitializedArray<byte>(toHeight * toWidth * 3);
        var at = 0;
        for (var y = 0; y < toHeight; y++)
        {
            for (var x = 0; x < toWidth; x++)
            {
                var (fromX, fromY) = Source(origin, x, y, height, width);
                var pixel = rgba.AsSpan((fromY * width + fromX) * 4, 4);
                for (var c = 0; c < 3; c++)
                    pixels[at++] = OverWhite(pixel[c], pixel[3]);
            }
        }

        return (pixels, toHeight, toWidth);
    }

    /// <summary>The place in the file of a pixel of the upright picture (EXIF 2.3, orientation 1 to 8).</summary>
    static (int X, int Y) Source(SKEncodedOrigin origin, int x, int y, int height, int width) => origin switch
    {
        SKEncodedOrigin.TopRight => (width - 1 - x, y),
        SKEncodedOrigin.BottomRight => (width - 1 - x, height - 1 - y),
        SKEncodedOrigin.BottomLeft => (x, height - 1 - y),
        SKEncodedOrigin.LeftTop => (y, x),
        SKEncodedOrigin.RightTop => (y, height - 1 - x),
        SKEncodedOrigin.RightBottom => (width - 1 - y, height - 1 - x),
        SKEncodedOrigin.LeftBottom => (width - 1 - y, x),
        _ => (x, y),
    };

    static byte OverWhite(byte value, byte alpha) => alpha == 255 ? value : (byte)((value * alpha + 255 * (255 - alpha) + 127) / 255);
}
