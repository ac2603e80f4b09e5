using Taba.Diffusion.Tensors;

namespace Taba.Testing;

/// <summary>Tensor files of zeros.</summary>
public static class ZeroTensors
{
    static readonly byte[] s_zeros = new byte[1 << 20];

    /// <summary>Appends zero bytes to a tensor file.</summary>
    public static void WriteZeros(this TensorFileWriter writer, long count)
    {
        for (; count > 0; count -= Math.Min(count, s_zeros.Length))
            writer.Write(s_zeros.AsSpan(0, (int)Math.Min(count, s_zeros.Length)));
    }
}
