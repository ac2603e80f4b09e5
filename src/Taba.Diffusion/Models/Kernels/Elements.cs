using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>How sixteen numbers lie in memory that are float32 in a register.</summary>
unsafe interface IElements
{
    static abstract Vector512<float> Load(void* memory, nint index);

    static abstract void Store(Vector512<float> values, void* memory, nint index);
}

unsafe struct SingleElements : IElements
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(void* memory, nint index) => Vector512.Load((float*)memory + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, void* memory, nint index) => values.Store((float*)memory + index);
}

/// <summary>bfloat16: the upper half of a float32, rounded to the nearest, on a tie to the even one.</summary>
unsafe struct BrainElements : IElements
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(void* memory, nint index)
    {
        var (low, high) = Vector256.Widen(Vector256.Load((ushort*)memory + index));
        return Vector512.ShiftLeft(Vector512.Create(low, high), 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, void* memory, nint index)
    {
        var bits = values.AsUInt32();
        var even = Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One;
        var rounded = bits + even + Vector512.Create(0x7FFFu);
        // Rounding could carry a NaN into the sign.
        rounded = Vector512.ConditionalSelect(Vector512.IsNaN(values).AsUInt32(), Vector512.Create(0x7FC00000u), rounded);
        var halves = Vector512.ShiftRightLogical(rounded, 16);
        Vector256.Narrow(halves.GetLower(), halves.GetUpper()).Store((ushort*)memory + index);
    }
}
