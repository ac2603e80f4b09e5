using System.Buffers.Binary;
using System.IO.Hashing;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// Says at once, without decoding, whether a file is the whole of a PNG or JPEG: of thousands of pictures the one that was cut short, or
/// is of another kind than its name says, must not be found when the others are computed.
/// </summary>
static class PictureCheck
{
    const int ChunkFrame = 12;
    const byte MarkerPrefix = 0xff, StartOfScan = 0xda, EndOfImage = 0xd9;

    static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    /// <exception cref="InvalidDataException">It is not.</exception>
    public static void RequireWhole(ReadOnlySpan<byte> file, string path)
    {
        var fault = file.StartsWith(PngSignature) ? PngFault(file[PngSignature.Length..])
            : file.StartsWith<byte>([MarkerPrefix, 0xd8]) ? JpegFault(file[2..])
            : $"it is {KindOf(file)}, whatever its name says; PNG and JPEG are read";
        if (fault is not null)
            throw new InvalidDataException($"{path} cannot be read as a picture: {fault}.");
    }

    /// <summary>Every chunk that a decoder needs has its checksum, and the last one is there (PNG 3, 5.3).</summary>
    static string? PngFault(ReadOnlySpan<byte> rest)
    {
        while (rest.Length >= ChunkFrame)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - ChunkFrame)
                break;
            var content = rest.Slice(4, 4 + (int)length);
            var isCritical = char.IsAsciiLetterUpper((char)content[0]);
            if (isCritical && Crc32.HashToUInt32(content) != BinaryPrimitives.ReadUInt32BigEndian(rest[(8 + (int)length)..]))
                return "it is damaged: a checksum in it is wrong";
            if (content[..4].SequenceEqual("IEND"u8))
                return null;
            rest = rest[(ChunkFrame + (int)length)..];
        }
        return "it was cut short";
    }

    /// <summary>Behind the header of the first scan the end of the image is there (JPEG, B.1.1.3).</summary>
    static string? JpegFault(ReadOnlySpan<byte> rest)
    {
        while (rest.Length >= 4 && rest[0] == MarkerPrefix)
        {
            // Bytes of 255 may be put before a marker.
            if (rest[1] == MarkerPrefix)
            {
                rest = rest[1..];
                continue;
            }
            var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            if (rest[1] == StartOfScan)
                return rest.IndexOf<byte>([MarkerPrefix, EndOfImage]) < 0 ? "it was cut short" : null;
            if (length < 2 || length + 2 > rest.Length)
                break;
            rest = rest[(length + 2)..];
        }
        return "it is damaged or was cut short";
    }

    static string KindOf(ReadOnlySpan<byte> file) =>
        file.IsEmpty ? "empty"
        : file.StartsWith("GIF8"u8) ? "a GIF"
        : file.Length > 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8) ? "a WebP"
        : file.StartsWith("BM"u8) ? "a BMP"
        : file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8) ? "a TIFF"
        : file.Length > 12 && file[4..].StartsWith("ftyp"u8) ? "a HEIF or AVIF"
        : file[..Math.Min(64, file.Length)].Trim(" \t\r\n"u8).StartsWith("<"u8) ? "a web page or other text"
        : "no picture that is known";
}
