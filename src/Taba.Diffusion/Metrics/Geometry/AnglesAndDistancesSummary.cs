namespace Taba.Diffusion.Metrics.Geometry;

/// <summary>Mean corners and sides of the triangles of noise, sample and latent. Deviations are unbiased, over samples.</summary>
/// <param name="CosineAtSample">Cosines, -1 to 1, of the corner between the ways to noise and to latent.</param>
/// <param name="CosineAtNoise">Of the corner between the ways to sample and to latent.</param>
/// <param name="CosineAtLatent">Of the corner between the ways to noise and to sample.</param>
/// <param name="SampleToLatent">L2 distances, in units of the tensors, over all values of a row.</param>
/// <param name="SampleToNoise">As above.</param>
/// <param name="NoiseToLatent">As above.</param>
/// <param name="SquaredError">Mean of (x_0 - reconstruction)²; NaN without reconstructions.</param>
/// <param name="AbsoluteError">Mean of |x_0 - reconstruction|; NaN without reconstructions.</param>
public sealed record AnglesAndDistancesSummary(
    Moments CosineAtSample,
    Moments CosineAtNoise,
    Moments CosineAtLatent,
    Moments SampleToLatent,
    Moments SampleToNoise,
    Moments NoiseToLatent,
    double SquaredError,
    double AbsoluteError)
{
    /// <summary>Degrees, 0 to 180: the arccosine of the mean cosine, which is not the mean of the angles.</summary>
    public double AngleAtSample => Degrees(CosineAtSample.Mean);

    /// <summary>As above.</summary>
    public double AngleAtNoise => Degrees(CosineAtNoise.Mean);

    /// <summary>As above.</summary>
    public double AngleAtLatent => Degrees(CosineAtLatent.Mean);

    /// <summary>
    /// All numbers with upstream's keys. <c>std_cossim_*</c> is the arccosine of a deviation, as upstream has it, and means nothing: the
    /// deviations of the cosines are in this record.
    /// </summary>
    public IReadOnlyDictionary<string, double> Named()
    {
        var named = new Dictionary<string, double>
        {
            ["mean_cossim_img"] = AngleAtSample,
            ["mean_cossim_noise"] = AngleAtNoise,
            ["mean_cossim_latent"] = AngleAtLatent,
            ["std_cossim_img"] = Degrees(CosineAtSample.Std),
            ["std_cossim_noise"] = Degrees(CosineAtNoise.Std),
            ["std_cossim_latent"] = Degrees(CosineAtLatent.Std),
            ["mean_l2_img_lat"] = SampleToLatent.Mean,
            ["mean_l2_img_noise"] = SampleToNoise.Mean,
            ["mean_l2_noise_lat"] = NoiseToLatent.Mean,
            ["std_l2_img_lat"] = SampleToLatent.Std,
            ["std_l2_img_noise"] = SampleToNoise.Std,
            ["std_l2_noise_lat"] = NoiseToLatent.Std,
        };
        if (!double.IsNaN(SquaredError))
            named["mean_mse_img_img2"] = SquaredError;
        return named;
    }

    // Rounding may leave the mean of equal cosines a little above 1.
    static double Degrees(double cosine) => double.RadiansToDegrees(Math.Acos(Math.Clamp(cosine, -1, 1)));
}
