using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// One deterministic DDIM step (Song et al. 2021, equation 12 with η = 0) of a batch whose rows may stand at different
/// levels, go in different directions and follow different rules. The order of operations is upstream's, so that float32
/// results agree to the last bit on the same kernels.
/// </summary>
public static class DdimUpdate
{
    /// <summary>Moves every row to its next level.</summary>
    /// <param name="x">The state, [B,C,H,W], float32. Not changed.</param>
    /// <param name="eps">The prediction (or a swapped one), same shape, float32. Not changed.</param>
    /// <param name="coefficients">[6,B,1,1,1] from <see cref="DdimCoefficients.ToTensor"/>, on the state's device.</param>
    /// <param name="mix">Which rows clamp; <see cref="ClampMix.Some"/> is always right.</param>
    /// <returns>The new state, the eps that made it, and x̂0; new tensors, except that EpsUsed is <paramref name="eps"/> itself when no row clamps.</returns>
    public static DdimResult Step(Tensor x, Tensor eps, Tensor coefficients, ClampMix mix)
    {
        using var sqrtRecip = coefficients.select(0, 0);
        using var sqrtRecipM1 = coefficients.select(0, 1);
        using var sqrtNext = coefficients.select(0, 2);
        using var sqrtOneMinusNext = coefficients.select(0, 3);

        var scaledX = x.mul(sqrtRecip);
        Tensor predXstart;
        using (var scaledEps = eps.mul(sqrtRecipM1))
            predXstart = scaledX.sub(scaledEps);

        Tensor epsUsed;
        if (mix == ClampMix.None)
        {
            scaledX.Dispose();
            epsUsed = eps;
        }
        else
        {
            Clamp(predXstart, coefficients, mix);
            epsUsed = scaledX.sub_(predXstart).div_(sqrtRecipM1);
            if (mix == ClampMix.Some)
            {
                // Re-deriving an eps that was given would only add rounding to it.
                using var flags = coefficients.select(0, 5);
                using var clamped = flags.to(ScalarType.Bool);
                var rederived = epsUsed;
                epsUsed = where(clamped, rederived, eps);
                rederived.Dispose();
            }
        }

        var xNext = predXstart.mul(sqrtNext);
        using (var direction = epsUsed.mul(sqrtOneMinusNext))
            xNext.add_(direction);
        return new DdimResult(xNext, epsUsed, predXstart);
    }

    static void Clamp(Tensor predXstart, Tensor coefficients, ClampMix mix)
    {
        if (mix == ClampMix.All)
        {
            predXstart.clamp_(Bounds.Lower, Bounds.Upper);
            return;
        }

        using var upper = coefficients.select(0, 4);
        using var lower = upper.neg();
        predXstart.clamp_(lower, upper);
    }

    // Wrapping a number for libtorch costs more than the launch of a small kernel: these are wrapped once.
    static class Bounds
    {
        internal static readonly Scalar Lower = (-1f).ToScalar();
        internal static readonly Scalar Upper = 1f.ToScalar();
    }
}
