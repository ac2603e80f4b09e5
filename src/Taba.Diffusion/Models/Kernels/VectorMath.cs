using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>Functions of sixteen float32 at a time, right to about two units in the last place.</summary>
static class VectorMath
{
    const float Log2E = 1.44269504f;

    // ln 2 in two pieces, of which the first has so few bits that its product with a whole number is exact.
    const float Ln2High = 0.693359375f;
    const float Ln2Low = -2.12194440e-4f;

    // Beyond it e^x is no float32 any more.
    const float Largest = 88.3762626f;

    /// <summary>e^x; at the ends of float32 the nearest finite value. NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // The order keeps a NaN: where a comparison with it fails, the second operand is taken.
        x = Vector512.MinNative(Vector512.Create(Largest), x);
        x = Vector512.MaxNative(Vector512.Create(-Largest + 1), x);
        var n = Vector512.Round(x * Log2E);
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2High), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-Ln2Low), r);

        // Taylor's series up to r^7 / 7!, |r| <= ln(2) / 2.
        var sum = Vector512.Create(1f / 5040);
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(1f / 720));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(1f / 120));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(1f / 24));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(1f / 6));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512.Create(0.5f));
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512<float>.One);
        sum = Vector512.FusedMultiplyAdd(sum, r, Vector512<float>.One);

        // Times 2^n: n goes into the exponent.
        var power = Vector512.ShiftLeft(Vector512.ConvertToInt32(n) + Vector512.Create(127), 23).AsSingle();
        return sum * power;
    }

    /// <summary>x·sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu(Vector512<float> x) => x / (Vector512<float>.One + Exp(-x));
}
