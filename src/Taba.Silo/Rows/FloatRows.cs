using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Taba.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Taba.Silo.Rows;

/// <summary>
/// Rows of any floating-point type to and from the float32 rows that the engine takes. Widening is exact; the rest is rounded.
/// </summary>
static class FloatRows
{
    /// <summary>float32 rows in half precision.</summary>
    public static void FromFloat32(ReadOnlySpan<byte> source, ScalarType type, Span<byte> destination)
    {
        var floats = MemoryMarshal.Cast<byte, float>(source);
        switch (type)
        {
            case ScalarType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(destination);
                for (var i = 0; i < floats.Length; i++)
                    halves[i] = (Half)floats[i];
                break;
            case ScalarType.BFloat16:
                var brains = MemoryMarshal.Cast<byte, ushort>(destination);
                for (var i = 0; i < floats.Length; i++)
                    brains[i] = (ushort)(BitConverter.SingleToUInt32Bits(StateRounding.Round(floats[i], type)) >> 16);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "neither float16 nor bfloat16");
        }
    }

    public static void ToFloat32(ReadOnlySpan<byte> source, ScalarType type, Span<byte> destination)
    {
        var floats = MemoryMarshal.Cast<byte, float>(destination);
        switch (type)
        {
            case ScalarType.Float32:
                source.CopyTo(destination);
                break;
            case ScalarType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < halves.Length; i++)
                    floats[i] = (float)halves[i];
                break;
            case ScalarType.BFloat16:
                var brains = MemoryMarshal.Cast<byte, ushort>(source);
                for (var i = 0; i < brains.Length; i++)
                    floats[i] = BitConverter.UInt32BitsToSingle((uint)brains[i] << 16);
                break;
            case ScalarType.Float64:
                for (var i = 0; i < floats.Length; i++)
                    floats[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(source[(i * sizeof(double))..]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a floating-point type");
        }
    }
}
