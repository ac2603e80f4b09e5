namespace Taba.Diffusion.Schedules;

/// <summary>
/// The respaced DDIM schedule of the ADM models (Dhariwal and Nichol 2021; upstream's taba/models/adm): T kept training
/// steps with a common integer stride, ᾱ_{-1} = 1 and ᾱ_T = 0.
/// </summary>
/// <remarks>
/// Sampling runs i = T-1 .. 0 from ᾱ_i to ᾱ_{i-1}. Inversion runs i = 0 .. T-1 from ᾱ_i to ᾱ_{i+1}: a clean image is taken
/// to be at level ᾱ_0, and the last step ends at ᾱ = 0, where the state is the predicted eps alone.
/// </remarks>
public sealed class AdmSchedule : IDiffusionSchedule
{
    readonly bool _singleCoefficients;
    readonly double[] _alphasCumprod;
    readonly float[] _timesteps;

    /// <summary>A schedule of T inference steps.</summary>
    /// <param name="diffusionSteps">Training steps of the model (4000 for ADM-32 and ADM-64, 1000 for ADM-256).</param>
    /// <param name="noiseSchedule">Its β curve.</param>
    /// <param name="rescaleTimesteps">The network receives step · 1000 / <paramref name="diffusionSteps"/> instead of the step.</param>
    /// <param name="numInferenceSteps">T; must satisfy <see cref="IsLegal"/>.</param>
    /// <param name="singleCoefficients">
    /// Steps have upstream's float32 coefficients. Their √(1 - ᾱ) is right to three digits at the lowest levels, which shows in
    /// upstream's numbers (up to 2.4e-3 in eps, 5e-4 in latents); without it steps are exact.
    /// </param>
    /// <exception cref="ArgumentException">
    /// T cannot be reached with an integer stride; the message names the nearest T that can.
    /// </exception>
    public AdmSchedule(
        int diffusionSteps, NoiseSchedule noiseSchedule, bool rescaleTimesteps, int numInferenceSteps, bool singleCoefficients = true)
    {
        _singleCoefficients = singleCoefficients;
        var kept = TimestepRespacing.Strided(diffusionSteps, numInferenceSteps);
        NumInferenceSteps = numInferenceSteps;
        _alphasCumprod = CumulativeAlphas(Respace(BetaSchedule.Create(noiseSchedule, diffusionSteps), kept));

        // A float32 product, as the network's input is.
        var scale = rescaleTimesteps ? (float)(1000.0 / diffusionSteps) : 1f;
        _timesteps = [.. kept.Select(step => step * scale)];
    }

    /// <inheritdoc/>
    public int NumInferenceSteps { get; }

    /// <inheritdoc/>
    public int MaxForwardBeforeT => NumInferenceSteps - 1;

    /// <summary>True when T inference steps can be had of that many training steps.</summary>
    public static bool IsLegal(int diffusionSteps, int numInferenceSteps) => TimestepRespacing.IsLegal(diffusionSteps, numInferenceSteps);

    /// <summary>Every legal T, ascending.</summary>
    public static IReadOnlyList<int> LegalNumInferenceSteps(int diffusionSteps) => TimestepRespacing.LegalCounts(diffusionSteps);

    /// <inheritdoc/>
    public PredictionRule Rule(Direction direction) => PredictionRule.ClampAndRederive;

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">k is not a step of this schedule.</exception>
    public DdimStep Step(Direction direction, int k)
    {
        if ((uint)k >= (uint)NumInferenceSteps)
            throw new ArgumentOutOfRangeException(nameof(k), k, $"The schedule has steps 0 to {NumInferenceSteps - 1}.");

        var i = direction == Direction.Sampling ? NumInferenceSteps - 1 - k : k;
        return new DdimStep(_timesteps[i], _alphasCumprod[i], Level(direction == Direction.Sampling ? i - 1 : i + 1), _singleCoefficients);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">K is outside 1 .. T-1.</exception>
    public double ForwardAlphaBar(int forwardBeforeT)
    {
        if (forwardBeforeT < 1 || forwardBeforeT > MaxForwardBeforeT)
        {
            throw new ArgumentOutOfRangeException(
                nameof(forwardBeforeT), forwardBeforeT,
                $"forward_before_t of an ADM model with T = {NumInferenceSteps} must be 1 to {MaxForwardBeforeT}.");
        }

        return _alphasCumprod[forwardBeforeT];
    }

    double Level(int i) => i < 0 ? 1 : i == NumInferenceSteps ? 0 : _alphasCumprod[i];

    static double[] Respace(double[] baseBetas, int[] kept)
    {
        var baseAlphaBars = CumulativeAlphas(baseBetas);
        var respaced = new double[kept.Length];
        var previous = 1.0;
        for (var k = 0; k < kept.Length; k++)
        {
            var alphaBar = baseAlphaBars[kept[k]];
            respaced[k] = 1 - (alphaBar / previous);
            previous = alphaBar;
        }

        return respaced;
    }

    static double[] CumulativeAlphas(double[] betas)
    {
        var products = new double[betas.Length];
        var product = 1.0;
        for (var i = 0; i < betas.Length; i++)
            products[i] = product *= 1 - betas[i];
        return products;
    }
}
