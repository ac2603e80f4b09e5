using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Taba.Diffusion.Models.Kernels;

/// <summary>Functions of eight float32 at a time, right to about two units in the last place.</summary>
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
    public static Vector256<float> Exp(Vector256<float> x)
    {
        // The order keeps a NaN: where a comparison with it fails, the second operand is taken.
        x = Vector256.MinNative(Vector256.Create(Largest), x);
        x = Vector256.MaxNative(Vector256.Create(-Largest + 1), x);
        var n = Vector256.Round(x * Log2E);
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2High), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-Ln2Low), r);

        // Taylor's series up to r^7 / 7!, |r| <= ln(2) / 2.
        var sum = Vector256.Create(1f / 5040);
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256.Create(1f / 720));
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256.Create(1f / 120));
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256.Create(1f / 24));
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256.Create(1f / 6));
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256.Create(0.5f));
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256<float>.One);
        sum = Vector256.FusedMultiplyAdd(sum, r, Vector256<float>.One);

        // Times 2^n: n goes into the exponent.
        var power = Vector256.ShiftLeft(Vector256.ConvertToInt32(n) + Vector256.Create(127), 23).AsSingle();
        return sum * power;
    }

    /// <summary>x·sigmoid(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Silu(Vector256<float> x) => x / (Vector256<float>.One + Exp(-x));
}
