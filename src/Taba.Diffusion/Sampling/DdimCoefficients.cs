using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// The numbers that one row's DDIM step needs, in float64: near a clean image, eps is a difference of nearly equal numbers
/// divided by √(1/ᾱ - 1), as small as 0.003. A step may ask for upstream's float32 values instead.
/// </summary>
/// <param name="SqrtRecip">√(1/ᾱ).</param>
/// <param name="SqrtRecipM1">√(1/ᾱ - 1).</param>
/// <param name="SqrtNext">√ᾱ' of the level after the step.</param>
/// <param name="SqrtOneMinusNext">√(1 - ᾱ').</param>
/// <param name="Clamped">x̂0 is clamped to ± <paramref name="Bound"/> and eps re-derived from it; otherwise eps is used as it comes.</param>
/// <param name="Bound">x̂0 is clamped to ± this; infinite when it is not clamped, or thresholded.</param>
/// <param name="ThresholdRatio">x̂0 is thresholded at this quantile of |x̂0|; 0 when it is not.</param>
/// <param name="ThresholdMax">The largest threshold.</param>
public readonly record struct DdimCoefficients(
    double SqrtRecip, double SqrtRecipM1, double SqrtNext, double SqrtOneMinusNext, bool Clamped, double Bound,
    double ThresholdRatio = 0, double ThresholdMax = 1)
{
    /// <summary>Columns of the tensor that <see cref="ToTensor"/> makes.</summary>
    public const int Columns = 7;

    /// <summary>For rows that pad a batch: finite whatever the state is, and of no meaning.</summary>
    public static DdimCoefficients Padding => new(1, 1, 1, 0, false, double.PositiveInfinity);

    /// <summary>The coefficients of a step.</summary>
    /// <param name="step">Levels before and after, 0 &lt; ᾱ ≤ 1 and 0 ≤ ᾱ' ≤ 1.</param>
    /// <param name="rule">How x̂0 is treated.</param>
    /// <param name="bounds">The numbers of the rule.</param>
    /// <param name="epsGiven">
    /// eps is not the network's but a swapped one: then it is used as given, and <see cref="PredictionRule.ClampAndRederive"/> does not clamp.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A level is outside its range, or eps is to be re-derived at ᾱ = 1, where x̂0 does not determine it.</exception>
    public static DdimCoefficients From(in DdimStep step, PredictionRule rule, PredictionBounds bounds, bool epsGiven = false)
    {
        var clamped = rule == PredictionRule.ClampAndRederive && !epsGiven;
        if (!(step.AlphaBar > 0 && step.AlphaBar <= 1) || (clamped && step.AlphaBar == 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(step), step.AlphaBar, "ᾱ before a DDIM step must lie in (0,1], and below 1 where eps is re-derived from x̂0.");
        }

        if (!(step.AlphaBarNext >= 0 && step.AlphaBarNext <= 1))
            throw new ArgumentOutOfRangeException(nameof(step), step.AlphaBarNext, "ᾱ after a DDIM step must lie in [0,1].");

        var bound = clamped || rule == PredictionRule.Clamp ? bounds.ClipRange : double.PositiveInfinity;
        var ratio = rule == PredictionRule.Threshold ? bounds.ThresholdRatio : 0;
        if (step.SingleCoefficients)
        {
            var next = (float)step.AlphaBarNext;
            return new DdimCoefficients(
                (float)Math.Sqrt(1 / step.AlphaBar),
                (float)Math.Sqrt((1 / step.AlphaBar) - 1),
                MathF.Sqrt(next),
                MathF.Sqrt(1 - next),
                clamped, bound, ratio, bounds.ThresholdMax);
        }

        return new DdimCoefficients(
            Math.Sqrt(1 / step.AlphaBar),
            Math.Sqrt((1 / step.AlphaBar) - 1),
            Math.Sqrt(step.AlphaBarNext),
            Math.Sqrt(1 - step.AlphaBarNext),
            clamped, bound, ratio, bounds.ThresholdMax);
    }

    /// <summary>The coefficients of a step within the bounds of [-1,1].</summary>
    public static DdimCoefficients From(in DdimStep step, PredictionRule rule, bool epsGiven = false) =>
        From(step, rule, PredictionBounds.Unit, epsGiven);

    /// <summary>
    /// The coefficients of a batch as <see cref="DdimUpdate"/> takes them: [<see cref="Columns"/>, B, 1, 1, 1], float64, so that
    /// each column broadcasts over a state [B,C,H,W] without a reshape.
    /// </summary>
    public static Tensor ToTensor(ReadOnlySpan<DdimCoefficients> rows, Device device)
    {
        var values = new double[Columns * rows.Length];
        Pack(rows, values);
        return tensor(values, [Columns, rows.Length, 1, 1, 1], ScalarType.Float64, device);
    }

    /// <summary>Writes the columns one after the other, [<see cref="Columns"/>, B]: for a caller that keeps its own upload buffer.</summary>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static void Pack(ReadOnlySpan<DdimCoefficients> rows, Span<double> destination)
    {
        var count = rows.Length;
        if (destination.Length < Columns * count)
            throw new ArgumentException($"{count} rows need {Columns * count} values, the destination holds {destination.Length}.", nameof(destination));

        for (var row = 0; row < count; row++)
        {
            ref readonly var coefficients = ref rows[row];
            destination[row] = coefficients.SqrtRecip;
            destination[count + row] = coefficients.SqrtRecipM1;
            destination[(2 * count) + row] = coefficients.SqrtNext;
            destination[(3 * count) + row] = coefficients.SqrtOneMinusNext;
            destination[(4 * count) + row] = coefficients.Bound;
            destination[(5 * count) + row] = coefficients.Clamped ? 1 : 0;
            destination[(6 * count) + row] = coefficients.ThresholdRatio > 0 ? coefficients.ThresholdMax : 0;
        }
    }

    /// <summary>Which of the update's paths serves these rows.</summary>
    public static ClampMix MixOf(ReadOnlySpan<DdimCoefficients> rows)
    {
        var (unit, plain) = (0, 0);
        foreach (ref readonly var row in rows)
        {
            unit += row.Clamped && row.Bound == 1 ? 1 : 0;
            plain += !row.Clamped && double.IsPositiveInfinity(row.Bound) && row.ThresholdRatio == 0 ? 1 : 0;
        }
        return unit == rows.Length ? ClampMix.All : plain == rows.Length ? ClampMix.None : ClampMix.Some;
    }

    /// <summary>The quantile at which the thresholded ones of these rows are; 0 when none is.</summary>
    /// <exception cref="ArgumentException">They differ in it: rows of one model never do.</exception>
    public static double ThresholdRatioOf(ReadOnlySpan<DdimCoefficients> rows)
    {
        var ratio = 0.0;
        foreach (ref readonly var row in rows)
        {
            if (row.ThresholdRatio == 0 || row.ThresholdRatio == ratio)
                continue;
            if (ratio != 0)
                throw new ArgumentException($"A batch has one dynamic thresholding ratio, not {ratio} and {row.ThresholdRatio}.", nameof(rows));
            ratio = row.ThresholdRatio;
        }
        return ratio;
    }
}
