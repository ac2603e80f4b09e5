namespace Taba.Diffusion.Metrics.Normality;

/// <summary>The points of a Q-Q plot and its line.</summary>
/// <param name="Shares">Shares of values below each quantile, ascending.</param>
/// <param name="Noise">Quantiles of the noise (x), in units of the tensor.</param>
/// <param name="Latents">Quantiles of the latents (y).</param>
/// <param name="NoiseMoments">Of all values.</param>
/// <param name="LatentMoments">Of all values.</param>
public sealed record QuantilePlotSummary(
    IReadOnlyList<double> Shares,
    IReadOnlyList<double> Noise,
    IReadOnlyList<double> Latents,
    Moments NoiseMoments,
    Moments LatentMoments)
{
    /// <summary>Slope of the standardised line: the ratio of the deviations.</summary>
    public double Slope => LatentMoments.Std / NoiseMoments.Std;

    /// <summary>Where it meets x = 0: it passes through both means.</summary>
    public double Intercept => LatentMoments.Mean - (Slope * NoiseMoments.Mean);
}
