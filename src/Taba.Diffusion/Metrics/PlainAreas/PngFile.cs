using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>
/// PNG files as other programs write them: their length is a measure of how much is in a picture. It is that of the runtime's zlib, which
/// differs a little from others.
/// </summary>
static class PngFile
{
    const int Signature = 8;

    // Length, name and checksum of a chunk.
    const int Chunk = 12;

    const int HeaderLength = 13;

    // Pillow gives each chunk of data at most so many bytes.
    const int PillowBuffer = 1 << 16;

    const byte Sub = 1;

    /// <summary>
    /// The length of one line of RGB pixels as Pillow writes it at level 9: the filter with the least sum of magnitudes, then deflate.
    /// </summary>
    /// <param name="pixels">Three bytes a pixel, one pixel or more.</param>
    internal static int LengthOfLine(ReadOnlySpan<byte> pixels)
    {
        const int Channels = 3;

        // Above the only line there is nothing: "up" is "none", and "Paeth" is "sub", which comes first.
        var (none, sub, average) = (new byte[pixels.Length + 1], new byte[pixels.Length + 1], new byte[pixels.Length + 1]);
        (sub[0], average[0]) = (Sub, 3);
        for (var i = 0; i < pixels.Length; i++)
        {
            var left = i < Channels ? 0 : pixels[i - Channels];
            none[i + 1] = pixels[i];
            sub[i + 1] = (byte)(pixels[i] - left);
            average[i + 1] = (byte)(pixels[i] - (left / 2));
        }

        var (best, least) = (none, Magnitude(none));
        foreach (var candidate in new[] { sub, average })
        {
            var magnitude = Magnitude(candidate);
            if (magnitude < least)
                (best, least) = (candidate, magnitude);
        }

        var data = Deflated(best, 9, ZLibCompressionStrategy.Filtered).Length;
        return Signature + Chunk + HeaderLength + data + (Chunk * ((data + PillowBuffer - 1) / PillowBuffer)) + Chunk;
    }

    /// <summary>
    /// A file as OpenCV writes it without settings: each line as differences from the pixel to the left, run lengths, least effort.
    /// </summary>
    /// <param name="picture">[H,W,C] bytes.</param>
    /// <param name="channels">1, 3 or 4.</param>
    /// <param name="height">Lines.</param>
    /// <param name="width">Pixels of a line.</param>
    internal static byte[] AsOpenCvWrites(ReadOnlySpan<byte> picture, int channels, int height, int width)
    {
        var length = width * channels;
        var lines = new byte[picture.Length + height];
        for (var y = 0; y < height; y++)
        {
            var line = picture.Slice(y * length, length);
            var filtered = lines.AsSpan(y * (length + 1), length + 1);
            filtered[0] = Sub;
            for (var x = 0; x < length; x++)
                filtered[x + 1] = (byte)(line[x] - (x < channels ? 0 : line[x - channels]));
        }

        var header = new byte[HeaderLength];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = (byte)(channels switch { 1 => 0, 3 => 2, _ => 6 });

        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        Append(file, "IHDR"u8, header);
        Append(file, "IDAT"u8, Deflated(lines, 1, ZLibCompressionStrategy.RunLengthEncoding));
        Append(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>The zlib stream of some data.</summary>
    internal static byte[] Deflated(byte[] data, int level, ZLibCompressionStrategy strategy)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(
            compressed, new ZLibCompressionOptions { CompressionLevel = level, CompressionStrategy = strategy }, leaveOpen: true))
            zlib.Write(data);
        return compressed.ToArray();
    }

    static void Append(MemoryStream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        var checksum = new Crc32();
        checksum.Append(name);
        checksum.Append(data);
        file.Write(name);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, checksum.GetCurrentHashAsUInt32());
        file.Write(number);
    }

    static long Magnitude(ReadOnlySpan<byte> line)
    {
        var sum = 0L;
        foreach (var value in line[1..])
            sum += value < 128 ? value : 256 - value;
        return sum;
    }
}
