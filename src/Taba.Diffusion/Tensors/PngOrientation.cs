using System.Buffers.Binary;
using SkiaSharp;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// The orientation in the eXIf chunk of a PNG (PNG 3, 11.3.3.5; EXIF 2.3, tag 0x0112), which the decoder passes over where a JPEG's counts.
/// </summary>
static class PngOrientation
{
    const int SignatureBytes = 8, ChunkFrame = 12, EntryBytes = 12, OrientationTag = 0x0112, ShortType = 3;

    /// <returns>Upright where the file says nothing, or nothing that can be read.</returns>
    public static SKEncodedOrigin Of(ReadOnlySpan<byte> png)
    {
        for (var rest = png[Math.Min(SignatureBytes, png.Length)..]; rest.Length >= ChunkFrame;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - ChunkFrame)
                break;
            if (rest[4..8].SequenceEqual("eXIf"u8))
                return OfTiff(rest.Slice(8, (int)length));
            rest = rest[(ChunkFrame + (int)length)..];
        }
        return SKEncodedOrigin.Default;
    }

    static SKEncodedOrigin OfTiff(ReadOnlySpan<byte> exif)
    {
        // Some writers put the marker of JPEG's segment before it.
        if (exif.StartsWith("Exif\0\0"u8))
            exif = exif[6..];
        var little = exif.StartsWith("II*\0"u8);
        if (!little && !exif.StartsWith("MM\0*"u8))
            return SKEncodedOrigin.Default;
        if (exif.Length < 8 || Int(exif[4..], little) is var at && (at < 8 || at > exif.Length - 2))
            return SKEncodedOrigin.Default;
        var entries = exif[((int)at + 2)..];
        for (var left = Short(exif[(int)at..], little); left > 0 && entries.Length >= EntryBytes; left--, entries = entries[EntryBytes..])
        {
            if (Short(entries, little) != OrientationTag)
                continue;
            var value = Short(entries[8..], little);
            return Short(entries[2..], little) == ShortType && value is >= 1 and <= 8 ? (SKEncodedOrigin)value : SKEncodedOrigin.Default;
        }
        return SKEncodedOrigin.Default;
    }

    static ushort Short(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    static uint Int(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
