using SkiaSharp;

namespace Taba.DemoModel;

/// <summary>Writes pictures side by side into a PNG.</summary>
static class PictureGrid
{
    const int Gap = 2;

    /// <param name="pictures">[count,3,S,S] in [-1,1].</param>
    /// <param name="columns">Pictures of a row.</param>
    /// <param name="zoom">Pixels of the PNG per pixel.</param>
    /// <param name="path">The PNG.</param>
    public static void Save(ReadOnlySpan<float> pictures, int columns, int zoom, string path)
    {
        const int Size = ShapePictures.Size;
        var count = pictures.Length / ShapePictures.Elements;
        var rows = (count + columns - 1) / columns;
        var cell = (Size * zoom) + Gap;
        using var bitmap = new SKBitmap((columns * cell) + Gap, (rows * cell) + Gap);
        bitmap.Erase(SKColors.White);
        for (var i = 0; i < count; i++)
        {
            var picture = pictures.Slice(i * ShapePictures.Elements, ShapePictures.Elements);
            var (left, top) = (Gap + (i % columns * cell), Gap + (i / columns * cell));
            for (var y = 0; y < Size * zoom; y++)
            {
                for (var x = 0; x < Size * zoom; x++)
                {
                    var at = (y / zoom * Size) + (x / zoom);
                    var colour = new SKColor(
                        Byte(picture[at]), Byte(picture[at + (Size * Size)]), Byte(picture[at + (2 * Size * Size)]));
                    bitmap.SetPixel(left + x, top + y, colour);
                }
            }
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        using var file = File.Create(path);
        data.SaveTo(file);
    }

    static byte Byte(float value) => (byte)Math.Clamp(Math.Round((value + 1) * 127.5), 0, 255);
}
