using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// The DDIM step of a state in half precision, as upstream's DiT and DeepFloyd IF have it on a GPU: float32 coefficients, and
/// a rounding to the state's type after every operation (upstream-behaviour 4.2). States are held as float32 values that the type can represent.
/// </summary>
public static class RoundedDdimUpdate
{
    /// <summary>Moves every row to its next level. No row re-derives eps: such samplers integrate in float32.</summary>
    /// <param name="x">The state, [B,C,H,W], float32 values of <paramref name="type"/>.</param>
    /// <param name="eps">The prediction, rounded to the type on entry.</param>
    /// <param name="coefficients">[7,B,1,1,1] from <see cref="DdimCoefficients.ToTensor"/>.</param>
    /// <param name="type">Float16 or BFloat16.</param>
    /// <param name="thresholdRatio">As <see cref="DdimUpdate.Step"/> takes it.</param>
    /// <returns>New tensors, float32 values of the type.</returns>
    public static DdimResult Step(Tensor x, Tensor eps, Tensor coefficients, ScalarType type, double thresholdRatio = 0)
    {
        using var scope = NewDisposeScope();
        var recip = coefficients.select(0, 0);
        var sqrtAlpha = recip.reciprocal().to(ScalarType.Float32);
        var sqrtOneMinusAlpha = coefficients.select(0, 1).div(recip).to(ScalarType.Float32);
        var sqrtNext = coefficients.select(0, 2).to(ScalarType.Float32);
        var sqrtOneMinusNext = coefficients.select(0, 3).to(ScalarType.Float32);

        var epsUsed = Round(eps);
        var predXstart = Round(Round(x - Round(sqrtOneMinusAlpha * epsUsed)).div(sqrtAlpha));
        XstartBounds.Apply(predXstart, coefficients.to(ScalarType.Float32), ClampMix.Some, thresholdRatio);
        predXstart = Round(predXstart);
        var next = Round(Round(sqrtNext * predXstart) + Round(sqrtOneMinusNext * epsUsed));
        return new DdimResult(next.MoveToOuterDisposeScope(), epsUsed.MoveToOuterDisposeScope(), predXstart.MoveToOuterDisposeScope());

        Tensor Round(Tensor tensor) => tensor.to(type, copy: true).to(ScalarType.Float32);
    }
}
