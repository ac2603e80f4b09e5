using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>Clamps or thresholds x̂0, each row by its own rule.</summary>
static class XstartBounds
{
    /// <summary>Bounds <paramref name="predXstart"/> in place.</summary>
    /// <param name="predXstart">x̂0, [B,C,H,W].</param>
    /// <param name="coefficients">[7,B,1,1,1]; column 4 is each row's bound, column 6 its largest threshold, 0 where it has none.</param>
    /// <param name="mix">Not None.</param>
    /// <param name="thresholdRatio">The quantile of thresholded rows; 0 when there are none.</param>
    public static void Apply(Tensor predXstart, Tensor coefficients, ClampMix mix, double thresholdRatio)
    {
        if (mix == ClampMix.All)
        {
            predXstart.clamp_(Unit.Lower, Unit.Upper);
            return;
        }

        using var scope = NewDisposeScope();
        var bound = coefficients.select(0, 4);
        if (thresholdRatio == 0)
        {
            predXstart.clamp_(bound.neg(), bound);
            return;
        }

        // Saharia et al. 2022, section 2.3: s is the quantile of |x̂0| in a row, at least 1; x̂0 is clamped to ± s and divided by s.
        var largest = coefficients.select(0, 6);
        var thresholded = largest.gt(Unit.None);
        var threshold = predXstart.abs().flatten(1).to(ScalarType.Float32)
            .quantile(tensor(thresholdRatio, dtype: ScalarType.Float32, device: predXstart.device), 1)
            .to(predXstart.dtype).view(-1, 1, 1, 1);
        threshold = minimum(threshold.clamp_min(Unit.Upper), largest.clamp_min(Unit.Upper));
        bound = where(thresholded, threshold, bound);
        predXstart.clamp_(bound.neg(), bound).div_(where(thresholded, threshold, ones_like(threshold)));
    }

    // Wrapping a number for libtorch costs more than the launch of a small kernel: these are wrapped once.
    static class Unit
    {
        internal static readonly Scalar Lower = (-1.0).ToScalar();
        internal static readonly Scalar None = 0.0.ToScalar();
        internal static readonly Scalar Upper = 1.0.ToScalar();
    }
}
