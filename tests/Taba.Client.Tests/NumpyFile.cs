using System.Text;

namespace Taba.Client.Tests;

/// <summary>Files as numpy writes them.</summary>
static class NumpyFile
{
    /// <summary>Writes float32 values, row by row.</summary>
    public static void Write(string path, IEnumerable<float> values, params int[] shape)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({string.Join(", ", shape)},), }}";
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        using var writer = new BinaryWriter(File.Create(path));
        writer.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]);
        writer.Write((ushort)header.Length);
        writer.Write(Encoding.ASCII.GetBytes(header));
        foreach (var value in values)
            writer.Write(value);
    }
}
