using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Weights;

/// <summary>Reads the header of a NumPy array file, versions 1 to 3 (numpy.lib.format). Objects and records are refused.</summary>
static class NpyFile
{
    const int PrefixBytes = 8;
    const int MaxHeaderBytes = 64 << 10;

    // NumPy writes the three keys in this order. NonBacktracking: the header comes from a stranger.
    static readonly Regex s_header = new(
        @"^\{\s*'descr'\s*:\s*'(?<descr>[^']*)'\s*,\s*'fortran_order'\s*:\s*(?<fortran>True|False)\s*,\s*"
        + @"'shape'\s*:\s*\((?<shape>[0-9,\s]*)\)\s*,?\s*\}\s*$",
        RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);

    /// <summary>The bytes that such a file begins with.</summary>
    public static ReadOnlySpan<byte> Signature => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    public static IReadOnlyList<StoredTensor> Read(SourceFile file)
    {
        var (headerOffset, headerBytes) = FindHeader(file);
        var header = Encoding.Latin1.GetString(file.ReadBytes(headerOffset, headerBytes, MaxHeaderBytes, "the .npy header"));
        var match = s_header.Match(header);
        if (!match.Success)
            throw file.Fault("its .npy header is not that of a plain array; records and objects are not read.");

        var descr = match.Groups["descr"].Value.Replace('=', '<');
        if (!ElementTypes.TryFromNumpy(descr, out var type))
            throw file.Fault($"its elements are '{descr}', which is not read; save it as little-endian float or integer.");

        var shape = ParseShape(file, match.Groups["shape"].Value);
        var elements = StoredTensor.CountElements(file, file.Stem, shape);
        var offset = headerOffset + headerBytes;
        if ((Int128)elements * ElementTypes.Size(type.Value) != file.Length - offset)
            throw file.Fault(
                $"an array of shape [{string.Join(",", shape)}] and type {type} does not fill its {file.Length - offset} data bytes.");

        var strides = match.Groups["fortran"].Value == "True" ? ColumnMajorStrides(shape) : null;
        return [StoredTensor.Create(file, file.Stem, type.Value, shape, strides, firstElement: 0, offset, elements)];
    }

    static (long Offset, long Bytes) FindHeader(SourceFile file)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes + sizeof(uint)];
        file.ReadExactly(0, prefix, "the .npy prefix");
        return prefix[6] switch
        {
            1 => (PrefixBytes + sizeof(ushort), BinaryPrimitives.ReadUInt16LittleEndian(prefix[PrefixBytes..])),
            2 or 3 => (PrefixBytes + sizeof(uint), BinaryPrimitives.ReadUInt32LittleEndian(prefix[PrefixBytes..])),
            _ => throw file.Fault($"its .npy version is {prefix[6]}; 1 to 3 are known."),
        };
    }

    static long[] ParseShape(SourceFile file, string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var shape = new long[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!long.TryParse(parts[i], out shape[i]))
                throw file.Fault($"its .npy shape ({text}) is not a list of lengths.");
        }

        return shape;
    }

    static long[] ColumnMajorStrides(long[] shape)
    {
        var strides = StoredTensor.RowMajorStrides([.. shape.Reverse()]);
        Array.Reverse(strides);
        return strides;
    }
}
