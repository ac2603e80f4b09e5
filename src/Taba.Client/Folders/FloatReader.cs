using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Taba.Client.Folders;

/// <summary>Reads rows of a tensor file as float32, whatever floating-point type they have.</summary>
static class FloatReader
{
    /// <returns>Rows of the first axis, flat.</returns>
    /// <exception cref="NotSupportedException">The tensor holds no floating-point values.</exception>
    public static float[] Rows(TensorReader tensor, long start, int count)
    {
        var bytes = new byte[checked(count * tensor.RowBytes)];
        tensor.ReadRows(start, count, bytes);
        return Floats(tensor, bytes);
    }

    /// <returns>Rows of the second axis at one index of the first, flat.</returns>
    /// <exception cref="NotSupportedException">The tensor holds no floating-point values.</exception>
    public static float[] Slice(TensorReader tensor, long index, long start, int count)
    {
        var bytes = new byte[checked(count * (tensor.RowBytes / tensor.Shape[1]))];
        tensor.ReadSlice(index, start, count, bytes);
        return Floats(tensor, bytes);
    }

    static float[] Floats(TensorReader tensor, byte[] bytes)
    {
        return tensor.Dtype switch
        {
            ScalarType.Float32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            ScalarType.Float16 => Convert(MemoryMarshal.Cast<byte, Half>(bytes), static h => (float)h),
            ScalarType.BFloat16 =>
                Convert(MemoryMarshal.Cast<byte, ushort>(bytes), static b => BitConverter.UInt32BitsToSingle((uint)b << 16)),
            ScalarType.Float64 => Convert(MemoryMarshal.Cast<byte, double>(bytes), static d => (float)d),
            var other =>
                throw new NotSupportedException($"Tensor '{tensor.Name}' holds {other}: only floating-point tensors can be drawn."),
        };
    }

    static float[] Convert<T>(ReadOnlySpan<T> values, Func<T, float> convert)
    {
        var result = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
            result[i] = convert(values[i]);
        return result;
    }
}
