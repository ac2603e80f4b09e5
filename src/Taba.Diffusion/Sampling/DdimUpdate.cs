using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// One deterministic DDIM step (Song et al. 2021, equation 12 with η = 0) of a batch whose rows may stand at different
/// levels, go in different directions and follow different rules. The order of operations is upstream's; it is computed in
/// the coefficients' precision (float64) and rounded to the state's once, at the end.
/// </summary>
/// <remarks>
/// Upstream computes in float32 throughout, which costs eps several digits at the lowest levels, where it is a small difference
/// divided by √(1/ᾱ - 1), and clamping carries the error on into the states (docs/adr/0005).
/// </remarks>
public static class DdimUpdate
{
    /// <summary>Moves every row to its next level.</summary>
    /// <param name="x">The state, [B,C,H,W], float32. Not changed.</param>
    /// <param name="eps">The prediction (or a swapped one), same shape, float32. Not changed.</param>
    /// <param name="coefficients">[7,B,1,1,1] from <see cref="DdimCoefficients.ToTensor"/>, on the state's device. Their type is that of the arithmetic.</param>
    /// <param name="mix">Which rows clamp; <see cref="ClampMix.Some"/> is always right.</param>
    /// <param name="thresholdRatio">The quantile at which thresholded rows are (<see cref="DdimCoefficients.ThresholdRatioOf"/>); 0 when there are none.</param>
    /// <returns>The new state, the eps that made it, and x̂0; new tensors, except that EpsUsed is <paramref name="eps"/> itself when it is not changed.</returns>
    public static DdimResult Step(Tensor x, Tensor eps, Tensor coefficients, ClampMix mix, double thresholdRatio = 0)
    {
        using var scope = NewDisposeScope();
        var sqrtRecip = coefficients.select(0, 0);
        var sqrtRecipM1 = coefficients.select(0, 1);
        var sqrtNext = coefficients.select(0, 2);
        var sqrtOneMinusNext = coefficients.select(0, 3);

        // Converted first: operations on mixed types are slower. Then in place: for a batch this size, fresh memory costs more
        // than the arithmetic.
        var scaledX = x.to(coefficients.dtype, copy: true).mul_(sqrtRecip);
        var predXstart = eps.to(coefficients.dtype, copy: true).mul_(sqrtRecipM1).neg_().add_(scaledX);
        var epsUsed = mix == ClampMix.All ? scaledX : eps.to(coefficients.dtype, copy: true);
        if (mix != ClampMix.None)
        {
            XstartBounds.Apply(predXstart, coefficients, mix, thresholdRatio);
            var rederived = scaledX.sub_(predXstart).div_(sqrtRecipM1);
            // Re-deriving an eps that was given would only add rounding to it.
            if (mix == ClampMix.Some)
                epsUsed = where(coefficients.select(0, 5).to(ScalarType.Bool), rederived, epsUsed);
        }

        var roundedEps = mix == ClampMix.None ? eps : Rounded(epsUsed);
        var roundedPredXstart = Rounded(predXstart);
        return new DdimResult(Rounded(predXstart.mul_(sqrtNext).add_(epsUsed.mul_(sqrtOneMinusNext))), roundedEps, roundedPredXstart);

        Tensor Rounded(Tensor tensor) => tensor.to(x.dtype, copy: true).MoveToOuterDisposeScope();
    }
}
