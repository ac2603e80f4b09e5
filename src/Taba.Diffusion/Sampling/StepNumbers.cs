using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// The numbers of one row's DDIM step, by the names that <see cref="Ddim"/> calls them. ᾱ is the level before the step, ᾱ' the one
/// after it.
/// </summary>
/// <remarks>
/// They are float64: near a clean image eps is a difference of nearly equal numbers divided by √(1/ᾱ - 1), which can be as small as
/// 0.003. A step may ask for the float32 values that upstream's ADM sampler has.
/// </remarks>
public readonly record struct StepNumbers
{
    /// <summary>√ᾱ.</summary>
    public required double SqrtAlphaBar { get; init; }

    /// <summary>√(1 - ᾱ).</summary>
    public required double SqrtOneMinusAlphaBar { get; init; }

    /// <summary>√(1/ᾱ).</summary>
    public required double SqrtRecip { get; init; }

    /// <summary>√(1/ᾱ - 1).</summary>
    public required double SqrtRecipM1 { get; init; }

    /// <summary>√ᾱ'.</summary>
    public required double SqrtNext { get; init; }

    /// <summary>√(1 - ᾱ').</summary>
    public required double SqrtOneMinusNext { get; init; }

    /// <summary>x̂0 is clamped to ± this; infinite when it is not clamped.</summary>
    public required double Bound { get; init; }

    /// <summary>eps is computed again from the clamped x̂0.</summary>
    public required bool Rederives { get; init; }

    /// <summary>The quantile of |x̂0| that is a row's threshold; 0 when the row is not thresholded.</summary>
    public required double ThresholdRatio { get; init; }

    /// <summary>The largest threshold.</summary>
    public required double ThresholdMax { get; init; }

    /// <summary>The numbers of a step.</summary>
    /// <param name="step">Levels before and after, 0 &lt; ᾱ ≤ 1 and 0 ≤ ᾱ' ≤ 1.</param>
    /// <param name="rule">How x̂0 is treated.</param>
    /// <param name="bounds">The numbers of the rule.</param>
    /// <param name="epsGiven">
    /// eps is not the network's but a swapped one: it is used as given, and <see cref="PredictionRule.ClampAndRederive"/> does not clamp.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A level is outside its range, or eps is to be computed from x̂0 at ᾱ = 1, where x̂0 does not determine it.
    /// </exception>
    public static StepNumbers From(in DdimStep step, PredictionRule rule, PredictionBounds bounds, bool epsGiven = false)
    {
        var rederives = rule == PredictionRule.ClampAndRederive && !epsGiven;
        var (alphaBar, next) = (step.AlphaBar, step.AlphaBarNext);
        if (!(alphaBar > 0 && alphaBar <= 1) || (rederives && alphaBar == 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(step), alphaBar, "ᾱ before a DDIM step must lie in (0,1], and below 1 where eps is computed from x̂0.");
        }
        if (!(next >= 0 && next <= 1))
            throw new ArgumentOutOfRangeException(nameof(step), next, "ᾱ after a DDIM step must lie in [0,1].");

        var single = step.SingleCoefficients;
        return new StepNumbers
        {
            SqrtAlphaBar = Math.Sqrt(alphaBar),
            SqrtOneMinusAlphaBar = Math.Sqrt(1 - alphaBar),
            SqrtRecip = single ? (float)Math.Sqrt(1 / alphaBar) : Math.Sqrt(1 / alphaBar),
            SqrtRecipM1 = single ? (float)Math.Sqrt((1 / alphaBar) - 1) : Math.Sqrt((1 / alphaBar) - 1),
            SqrtNext = single ? MathF.Sqrt((float)next) : Math.Sqrt(next),
            SqrtOneMinusNext = single ? MathF.Sqrt(1 - (float)next) : Math.Sqrt(1 - next),
            Bound = rederives || rule == PredictionRule.Clamp ? bounds.ClipRange : double.PositiveInfinity,
            Rederives = rederives,
            ThresholdRatio = rule == PredictionRule.Threshold ? bounds.ThresholdRatio : 0,
            ThresholdMax = bounds.ThresholdMax,
        };
    }
}
