using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// The step of DDIM with η = 0 (Song, Meng and Ermon 2021, equation 12), which samples where the level rises (ᾱ' > ᾱ) and inverts
/// where it falls.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>x</term><description>the state before the step, at level ᾱ</description></item>
/// <item><term>ε</term><description>the noise in x: the network's prediction, or a tensor that was swapped in for it</description></item>
/// <item><term>x̂0</term><description>the clean image that x and ε imply, "predicted x0"</description></item>
/// <item><term>x'</term><description>the state after the step, at level ᾱ'</description></item>
/// </list>
/// Rows of a batch may stand at different levels, go in different directions and follow different rules. Upstream computes ADM's step
/// in float32 throughout, which costs ε several digits at the lowest levels; here it is float64 (docs/adr/0005).
/// </remarks>
public static class Ddim
{
    /// <summary>The type in which a state's steps are computed.</summary>
    public static ScalarType Arithmetic(ScalarType state) => state == ScalarType.Float32 ? ScalarType.Float64 : ScalarType.Float32;

    /// <summary>Moves every row to its next level.</summary>
    /// <param name="x">[B,C,H,W]. Not changed.</param>
    /// <param name="eps">Same shape. Not changed.</param>
    /// <param name="at">The numbers of the rows, on the state's device.</param>
    /// <param name="state">
    /// The state's type: Float32, or Float16 and BFloat16 for <paramref name="x"/> of float32 values that the type can represent.
    /// </param>
    /// <returns>New tensors of the type of <paramref name="x"/>.</returns>
    public static DdimResult Step(Tensor x, Tensor eps, BatchNumbers at, ScalarType state = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        var (xt, e) = (StateValue.Of(x, at.Type, state), StateValue.Of(eps, at.Type, state));

        // x̂0 = (x − √(1−ᾱ)·ε) / √ᾱ, the first term of (12). Where every operation is rounded, the order is diffusers'; else it is
        // guided-diffusion's, whose numbers a step may bring in float32.
        var xstart = state == ScalarType.Float32
            ? (at.SqrtRecip * xt) - (at.SqrtRecipM1 * e)
            : (xt - (at.SqrtOneMinusAlphaBar * e)) / at.SqrtAlphaBar;
        if (at.AnyBounded)
            xstart = xstart.With(Bounded(xstart.Tensor, at));

        // ε = (x − √ᾱ·x̂0) / √(1−ᾱ): ADM takes the ε that leads to the clamped x̂0. One that was given stays as it is.
        if (at.AnyRederives)
            e = e.With(where(at.Rederives.to(ScalarType.Bool), (((at.SqrtRecip * xt) - xstart) / at.SqrtRecipM1).Tensor, e.Tensor));

        // x' = √ᾱ'·x̂0 + √(1−ᾱ')·ε, equation (12).
        var next = (at.SqrtNext * xstart) + (at.SqrtOneMinusNext * e);
        return new DdimResult(Out(next), Out(e), Out(xstart));

        Tensor Out(StateValue value) => value.Tensor.to(x.dtype, copy: true).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// x̂0 within the bounds of each row: clamped to ± a number, or thresholded dynamically (Saharia et al. 2022, section 2.3).
    /// </summary>
    static Tensor Bounded(Tensor xstart, BatchNumbers at)
    {
        var bound = at.Bound;
        if (at.ThresholdRatio == 0)
            return xstart.clamp(bound.neg(), bound);

        // s is the quantile of |x̂0| in a row, at least 1 and at most the model's largest; x̂0 is clamped to ± s and divided by s.
        var one = ones_like(bound);
        var s = xstart.abs().flatten(1).to(ScalarType.Float32)
            .quantile(tensor(at.ThresholdRatio, dtype: ScalarType.Float32, device: xstart.device), 1)
            .to(xstart.dtype).view(-1, 1, 1, 1);
        s = minimum(maximum(s, one), maximum(at.ThresholdMax, one));
        var thresholds = at.Thresholds.to(ScalarType.Bool);
        bound = where(thresholds, s, bound);
        return xstart.clamp(bound.neg(), bound).div(where(thresholds, s, one));
    }
}
