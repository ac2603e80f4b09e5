using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using SkiaSharp;
using Taba.Diffusion.Tensors;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Tensors;

public sealed class ImageFolderTests : IDisposable
{
    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadRows_PngOfTheWantedSize_GivesItsPixels()
    {
        Png("x.png", 3, 4, (x, y) => new SKColor((byte)(x * 60), (byte)(y * 100), 255));
        var images = ImageFolder.Open(_folder.Path, 3, 4);

        Assert.Equal((1, 3 * 3 * 4 * 4, new StateShape(3, 3, 4)), (images.Count, images.RowBytes, images.Shape));
        var expected = from c in Enumerable.Range(0, 3)
                       from y in Enumerable.Range(0, 3)
                       from x in Enumerable.Range(0, 4)
                       select (c == 0 ? x * 60 : c == 1 ? y * 100 : 255) / 127.5f - 1;
        Assert.Equal(expected, Read(images, 0, 1));
    }

    [Fact]
    public void ReadRows_OfAFolder_AreInNaturalOrder()
    {
        foreach (var number in new[] { 10, 2, 1 })
            Png($"a{number}.png", 2, 2, (_, _) => new SKColor((byte)number, 0, 0));
        Png("B3.PNG", 2, 2, (_, _) => new SKColor(3, 0, 0));
        Directory.CreateDirectory(_folder.At("more"));
        _folder.Write(".hidden", [1]);
        var images = ImageFolder.Open(_folder.Path, 2, 2);

        Assert.Equal(["B3.PNG", "a1.png", "a2.png", "a10.png"], images.Names);
        float[] reds = [3, 1, 2, 10];
        Assert.Equal(reds.Select(red => red / 127.5f - 1), Read(images, 0, 4).Chunk(12).Select(row => row[0]));
        Assert.Equal(Read(images, 0, 4)[24..36], Read(images, 2, 1));
        Assert.Empty(Read(images, 4, 0));
    }

    [Fact]
    public void Open_OneFile_IsOneRow()
    {
        Png("a.png", 2, 2, (_, _) => SKColors.Red);
        Png("b.png", 2, 2, (_, _) => SKColors.Blue);
        var images = ImageFolder.Open(_folder.At("b.png"), 2, 2);

        Assert.Equal(["b.png"], images.Names);
        Assert.Equal([-1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1], Read(images, 0, 1));
    }

    [Theory]
    [InlineData(3, 8, 2, 2)]
    [InlineData(9, 3, 2, 2)]
    [InlineData(4, 40, 2, 4)]
    public void ReadRows_OtherProportions_TakesTheMiddle(int height, int width, int toHeight, int toWidth)
    {
        // Green in the largest middle part of the wanted proportions, red around it.
        var (partHeight, partWidth) = (Math.Min(height, width * toHeight / toWidth), Math.Min(width, height * toWidth / toHeight));
        var (left, top) = ((width - partWidth) / 2, (height - partHeight) / 2);
        Png("x.png", height, width, (x, y) =>
            x >= left && x < left + partWidth && y >= top && y < top + partHeight ? SKColors.Lime : SKColors.Red);

        var row = Read(ImageFolder.Open(_folder.Path, toHeight, toWidth), 0, 1);

        var plane = toHeight * toWidth;
        Assert.All(row[..plane], red => Assert.Equal(-1, red));
        Assert.All(row[plane..(2 * plane)], green => Assert.Equal(1, green));
    }

    [Fact]
    public void ReadRows_Grey_GivesThreeEqualChannels()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(2, 2, SKColorType.Gray8, SKAlphaType.Opaque));
        bitmap.GetPixelSpan().Fill(51);
        Save(bitmap, "grey.png", SKEncodedImageFormat.Png);

        Assert.All(Read(ImageFolder.Open(_folder.Path, 2, 2), 0, 1), value => Assert.Equal(51 / 127.5f - 1, value));
    }

    [Fact]
    public void ReadRows_Transparency_LiesOverWhite()
    {
        SKColor[] colours = [new(0, 0, 0, 0), new(200, 100, 0, 128), new(0, 0, 255, 255), new(10, 20, 30, 1)];
        Png("x.png", 1, 4, (x, _) => colours[x]);

        var row = Read(ImageFolder.Open(_folder.Path, 1, 4), 0, 1).Select(value => (int)MathF.Round((value + 1) * 127.5f)).ToArray();

        Assert.Equal([255, 227, 0, 254, 255, 177, 0, 254, 255, 127, 255, 254], row);
    }

    /// <summary>Where quarters of red, green, blue and yellow go; 0 and 9 are no orientations.</summary>
    public static TheoryData<byte, string> Orientations => new()
    {
        { 0, "RGBY" }, { 1, "RGBY" }, { 2, "GRYB" }, { 3, "YBGR" }, { 4, "BYRG" }, { 5, "RBGY" }, { 6, "BRYG" }, { 7, "YGBR" },
        { 8, "GYRB" }, { 9, "RGBY" },
    };

    [Theory]
    [MemberData(nameof(Orientations))]
    public void ReadRows_Photograph_IsTurnedUpright(byte orientation, string expected) =>
        ReadsUpright(orientation, expected, SKEncodedImageFormat.Jpeg);

    [Theory]
    [MemberData(nameof(Orientations))]
    public void ReadRows_PngWithOrientation_IsTurnedUpright(byte orientation, string expected) =>
        ReadsUpright(orientation, expected, SKEncodedImageFormat.Png);

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x49, 0x49, 0x2a, 0, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0xff, 0xff, 1, 0x12 })]
    public void ReadRows_PngWithDamagedExif_IsReadAsItLies(byte[] exif)
    {
        Png("a.png", 32, 32, (x, y) => x < 16 && y < 16 ? SKColors.Red : SKColors.Blue);
        _folder.Write("a.png", WithExif(File.ReadAllBytes(_folder.At("a.png")), exif));
        Assert.Equal('R', Colour(Read(ImageFolder.Open(_folder.Path, 32, 32), 0, 1), 8 * 32 + 8));
    }

    /// <summary>A PNG with an eXIf chunk behind its header, in big-endian TIFF where orientation says so.</summary>
    static byte[] WithExif(byte[] png, byte[] exif)
    {
        const int HeaderEnd = 33;
        byte[] chunk = [.. "eXIf"u8, .. exif];
        var crc = System.IO.Hashing.Crc32.Hash(chunk);
        Array.Reverse(crc);
        return [.. png[..HeaderEnd], 0, 0, 0, (byte)exif.Length, .. chunk, .. crc, .. png[HeaderEnd..]];
    }

    void ReadsUpright(byte orientation, string expected, SKEncodedImageFormat format)
    {
        // Quarters: red, green / blue, yellow. EXIF 2.3: orientation 6 is shown turned right, 8 turned left, 3 upside down.
        using var bitmap = Bitmap(32, 32, (x, y) => (x < 16, y < 16) switch
        {
            (true, true) => SKColors.Red,
            (false, true) => SKColors.Lime,
            (true, false) => SKColors.Blue,
            _ => SKColors.Yellow,
        });
        using var data = bitmap.Encode(format, 100);
        var file = data.ToArray();
        if (format is SKEncodedImageFormat.Jpeg)
        {
            byte[] exif =
                [0xff, 0xe1, 0, 34, .. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
            _folder.Write("photo.jpeg", [.. file[..2], .. exif, .. file[2..]]);
        }
        else
        {
            byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
            _folder.Write("photo.png", WithExif(file, exif));
        }

        var row = Read(ImageFolder.Open(_folder.Path, 32, 32), 0, 1);

        Assert.Equal(
            expected, string.Concat(new[] { (8, 8), (24, 8), (8, 24), (24, 24) }.Select(at => Colour(row, at.Item2 * 32 + at.Item1))));
    }

    [Fact]
    public void ComputeDigest_DependsOnNamesOrderAndBytes()
    {
        Png("a.png", 2, 2, (_, _) => SKColors.Red);
        Png("b.png", 2, 2, (_, _) => SKColors.Blue);
        string Digest() => ImageFolder.Open(_folder.Path, 2, 2).ComputeDigest(TestContext.Current.CancellationToken);
        var digest = Digest();

        Assert.Equal(64, digest.Length);
        Assert.Equal(digest, Digest());
        File.Move(_folder.At("b.png"), _folder.At("c.png"));
        var renamed = Digest();
        Assert.NotEqual(digest, renamed);
        File.Move(_folder.At("c.png"), _folder.At("b.png"));
        Assert.Equal(digest, Digest());
        Png("b.png", 2, 2, (_, _) => SKColors.Navy);
        Assert.NotEqual(digest, Digest());
    }

    [Theory]
    [InlineData("half.png", "it was cut short")]
    [InlineData("half.jpg", "cut short")]
    [InlineData("flipped.png", "a checksum in it is wrong")]
    [InlineData("gif.png", "it is a GIF, whatever its name says")]
    [InlineData("webp.jpg", "it is a WebP")]
    [InlineData("page.jpg", "it is a web page")]
    [InlineData("empty.png", "is empty")]
    public void ComputeDigest_FileThatIsNoWholePicture_IsNamed(string name, string expected)
    {
        Png("a.png", 16, 16, (x, _) => x < 8 ? SKColors.Red : SKColors.Blue);
        var png = File.ReadAllBytes(_folder.At("a.png"));
        var pixels = png.AsSpan().IndexOf("IDAT"u8) + 6;
        using var bitmap = Bitmap(64, 64, (x, y) => new SKColor((byte)(x * 4), (byte)(y * 4), 0));
        using var jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        using var webp = bitmap.Encode(SKEncodedImageFormat.Webp, 90);
        _folder.Write(name, name switch
        {
            "half.png" => png[..(png.Length / 2)],
            "half.jpg" => jpeg.ToArray()[..(int)(jpeg.Size * 3 / 4)],
            "flipped.png" => [.. png[..pixels], (byte)(png[pixels] ^ 1), .. png[(pixels + 1)..]],
            "gif.png" => "GIF89a whatever"u8.ToArray(),
            "webp.jpg" => webp.ToArray(),
            "page.jpg" => "<html></html>"u8.ToArray(),
            _ => [],
        });
        var error = Assert.Throws<InvalidDataException>(
            () => ImageFolder.Open(_folder.Path, 2, 2).ComputeDigest(TestContext.Current.CancellationToken));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadRows_Bomb_IsRefusedBeforeItIsDecoded()
    {
        Png("x.png", 2, 2, (_, _) => SKColors.Red);
        var png = File.ReadAllBytes(_folder.At("x.png"));
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 30000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 30000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32.HashToUInt32(png.AsSpan(12, 17)));
        _folder.Write("x.png", png);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<InvalidDataException>(() => Read(ImageFolder.Open(_folder.Path, 2, 2), 0, 1));

        Assert.Contains("30000 pixels wide", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    public void ReadRows_FileCutShort_IsRefused(SKEncodedImageFormat format)
    {
        using var bitmap = Bitmap(64, 64, (x, y) => new SKColor((byte)(x * y), (byte)(x * 7 + y * 13), (byte)(x ^ y)));
        Save(bitmap, "x.png", format);
        var whole = File.ReadAllBytes(_folder.At("x.png"));
        foreach (var length in new[] { 1, 8, 20, 40, whole.Length / 2, whole.Length * 3 / 4 })
        {
            _folder.Write("x.png", whole.AsSpan(0, length));
            var error = Assert.Throws<InvalidDataException>(() => Read(ImageFolder.Open(_folder.Path, 64, 64), 0, 1));
            Assert.Contains(_folder.At("x.png"), error.Message);
        }
    }

    [Fact]
    public void ReadRows_NotAPicture_IsRefused()
    {
        _folder.Write("a.png", "this is no picture at all"u8);
        _folder.Write("b.png", []);
        using var bitmap = Bitmap(4, 4, (_, _) => SKColors.Red);
        Save(bitmap, "c.png", SKEncodedImageFormat.Webp);
        var images = ImageFolder.Open(_folder.Path, 4, 4);

        Assert.Contains("a.png is no picture", Assert.Throws<InvalidDataException>(() => Read(images, 0, 1)).Message);
        Assert.Contains("b.png is empty", Assert.Throws<InvalidDataException>(() => Read(images, 1, 1)).Message);
        Assert.Contains("Webp", Assert.Throws<InvalidDataException>(() => Read(images, 2, 1)).Message);
    }

    [Fact]
    public void Open_FolderWithoutPictures_SaysSo()
    {
        Assert.Contains("holds no PNG", Refused().Message);
        Directory.CreateDirectory(_folder.At("class1"));
        Assert.Contains("only 1 folders", Refused().Message);
        Png("a.png", 2, 2, (_, _) => SKColors.Red);
        _folder.Write("notes.txt", [1]);
        Assert.Contains("notes.txt", Refused().Message);
        Assert.Contains("notes.txt", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.At("notes.txt"), 2, 2)).Message);
        Assert.Throws<FileNotFoundException>(() => ImageFolder.Open(_folder.At("none"), 2, 2));

        InvalidDataException Refused() => Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path, 2, 2));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(-1, 1)]
    [InlineData(2, 0)]
    public void ReadRows_OutsideTheFolder_AreRefused(long start, int count)
    {
        Png("a.png", 2, 2, (_, _) => SKColors.Red);
        var images = ImageFolder.Open(_folder.Path, 2, 2);

        Assert.Throws<ArgumentOutOfRangeException>(() => images.ReadRows(start, count, new byte[count * images.RowBytes]));
        Assert.Throws<ArgumentException>(() => images.ReadRows(0, 1, new byte[images.RowBytes - 1]));
    }

    static float[] Read(ImageFolder images, long start, int count)
    {
        var bytes = new byte[count * images.RowBytes];
        images.ReadRows(start, count, bytes);
        return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
    }

    static char Colour(float[] row, int at) => (row[at] > 0, row[1024 + at] > 0, row[2048 + at] > 0) switch
    {
        (true, false, false) => 'R',
        (false, true, false) => 'G',
        (false, false, true) => 'B',
        (true, true, false) => 'Y',
        _ => '?',
    };

    static SKBitmap Bitmap(int height, int width, Func<int, int, SKColor> colour)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                bitmap.SetPixel(x, y, colour(x, y));
        }

        return bitmap;
    }

    void Png(string name, int height, int width, Func<int, int, SKColor> colour)
    {
        using var bitmap = Bitmap(height, width, colour);
        Save(bitmap, name, SKEncodedImageFormat.Png);
    }

    void Save(SKBitmap bitmap, string name, SKEncodedImageFormat format)
    {
        using var data = bitmap.Encode(format, 100);
        _folder.Write(name, data.Span);
    }
}
