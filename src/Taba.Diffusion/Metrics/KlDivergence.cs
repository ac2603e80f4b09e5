namespace Taba.Diffusion.Metrics;

/// <summary>Distance of one set of values from another when each is taken to be a single Gaussian (upstream's kl_div).</summary>
public static class KlDivergence
{
    /// <summary>KL(a‖b) = ½(σa²/σb² + (μa - μb)²/σb² - 1 - ln(σa²/σb²)), in nats. NaN where a moment is.</summary>
    public static double Between(Moments a, Moments b)
    {
        var ratio = a.Variance / b.Variance;
        var shift = a.Mean - b.Mean;
        return 0.5 * (ratio + (shift * shift / b.Variance) - 1 - Math.Log(ratio));
    }
}
