using System.Buffers.Binary;
using System.Text;

namespace Taba.Reliability.Tests;

/// <summary>Writes small .npy files of zeros, by the format's description.</summary>
static class NpyFile
{
    public static string Write(string path, params int[] shape)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({string.Join(", ", shape)},), }}";
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        var file = new byte[10 + header.Length + sizeof(float) * shape.Aggregate(1, (a, b) => a * b)];
        file[0] = 0x93;
        "NUMPY"u8.CopyTo(file.AsSpan(1));
        file[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), (ushort)header.Length);
        Encoding.ASCII.GetBytes(header, file.AsSpan(10));
        File.WriteAllBytes(path, file);
        return path;
    }
}
