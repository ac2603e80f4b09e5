using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Schedules;

/// <summary>
/// The DDIM schedule of the diffusers families (LDM, DiT, DeepFloyd IF), with upstream's inversion: timesteps t_k = k·r + offset,
/// r = ⌊steps / T⌋. ᾱ is float32, as diffusers has it (docs/upstream.md, section 6.2).
/// </summary>
/// <remarks>
/// Sampling runs k = T-1 .. 0 from ᾱ(t_k) to ᾱ(t_k - r); inversion runs k = 0 .. T-1 from ᾱ(t_k - r) to ᾱ(t_k), with the network
/// at t_k both times: levels match, and the final latent is at level t_(T-1).
/// </remarks>
public sealed class DiffusersSchedule : IDiffusionSchedule
{
    readonly DdimSchedulerConfig _config;
    readonly float[] _alphasCumprod;
    readonly int _stride;
    readonly bool _consistentForward;

    /// <summary>A schedule of T inference steps.</summary>
    /// <param name="config">The model's scheduler.</param>
    /// <param name="numInferenceSteps">T, 1 to the number of training steps.</param>
    /// <param name="consistentForward">
    /// Forward replacement goes to ᾱ(t_(K-1)), the level that step K expects, and not to upstream's ᾱ(t_K).
    /// </param>
    /// <exception cref="ArgumentException">T cannot be had; the message says why.</exception>
    public DiffusersSchedule(DdimSchedulerConfig config, int numInferenceSteps, bool consistentForward = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (WhyNot(config, numInferenceSteps) is { } why)
            throw new ArgumentException(why, nameof(numInferenceSteps));
        _config = config;
        _consistentForward = consistentForward;
        NumInferenceSteps = numInferenceSteps;
        _stride = config.NumTrainTimesteps / numInferenceSteps;
        _alphasCumprod = DiffusersBetas.AlphasCumprod(config);
    }

    /// <inheritdoc/>
    public int NumInferenceSteps { get; }

    /// <inheritdoc/>
    public int MaxForwardBeforeT => NumInferenceSteps;

    /// <inheritdoc/>
    public PredictionBounds Bounds => new(_config.ClipSampleRange, _config.DynamicThresholdingRatio, _config.SampleMaxValue);

    /// <summary>Why T steps cannot be had, in a sentence without a subject; null when they can.</summary>
    public static string? WhyNot(DdimSchedulerConfig config, int numInferenceSteps)
    {
        ArgumentNullException.ThrowIfNull(config);
        var steps = config.NumTrainTimesteps;
        if (numInferenceSteps < 1 || numInferenceSteps > steps)
            return $"the model was trained on {steps} steps, so it must be 1 to {steps}";
        var last = ((numInferenceSteps - 1) * (steps / numInferenceSteps)) + config.StepsOffset;
        return last < steps
            ? null
            : $"with the scheduler's steps_offset {config.StepsOffset} its last timestep would be {last}, beyond the {steps} that were "
                + "trained; use fewer steps";
    }

    /// <inheritdoc/>
    public PredictionRule Rule(Direction direction) =>
        direction == Direction.Sampling && _config.Thresholding ? PredictionRule.Threshold
        : _config.ClipSample ? PredictionRule.Clamp
        : PredictionRule.Plain;

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">k is not a step of this schedule.</exception>
    public DdimStep Step(Direction direction, int k)
    {
        if ((uint)k >= (uint)NumInferenceSteps)
            throw new ArgumentOutOfRangeException(nameof(k), k, $"The schedule has steps 0 to {NumInferenceSteps - 1}.");
        var timestep = Timestep(direction == Direction.Sampling ? NumInferenceSteps - 1 - k : k);
        var (noisier, cleaner) = (Level(timestep), Level(timestep - _stride));
        return direction == Direction.Sampling ? new DdimStep(timestep, noisier, cleaner) : new DdimStep(timestep, cleaner, noisier);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">K is outside 1 .. T.</exception>
    public double ForwardAlphaBar(int forwardBeforeT)
    {
        if (forwardBeforeT < 1 || forwardBeforeT > NumInferenceSteps)
        {
            throw new ArgumentOutOfRangeException(
                nameof(forwardBeforeT), forwardBeforeT, $"forward_before_t with T = {NumInferenceSteps} must be 1 to {NumInferenceSteps}.");
        }
        if (_consistentForward)
            return Level(Timestep(forwardBeforeT - 1));
        return forwardBeforeT < NumInferenceSteps ? Level(Timestep(forwardBeforeT)) : _alphasCumprod[^1];
    }

    int Timestep(int k) => (k * _stride) + _config.StepsOffset;

    double Level(int timestep) => timestep >= 0 ? _alphasCumprod[timestep] : _config.SetAlphaToOne ? 1 : _alphasCumprod[0];
}

/// <summary>β and ᾱ as diffusers computes them, in float32.</summary>
static class DiffusersBetas
{
    /// <summary>∏(1 - β), [steps].</summary>
    public static float[] AlphasCumprod(DdimSchedulerConfig config)
    {
        using var scope = NewDisposeScope();
        return Betas(config).neg().add(Scalars.One, Scalars.One).cumprod(0).data<float>().ToArray();
    }

    /// <summary>β, [steps], float32.</summary>
    static Tensor Betas(DdimSchedulerConfig config)
    {
        var steps = config.NumTrainTimesteps;
        return config.BetaCurve switch
        {
            BetaCurve.Linear => linspace(config.BetaStart, config.BetaEnd, steps, dtype: ScalarType.Float32),
            BetaCurve.ScaledLinear =>
                linspace(Math.Sqrt(config.BetaStart), Math.Sqrt(config.BetaEnd), steps, dtype: ScalarType.Float32).pow(Scalars.Two),
            BetaCurve.SquaredCosine => tensor([.. BetaSchedule.Cosine(steps).Select(beta => (float)beta)], dtype: ScalarType.Float32),
            BetaCurve.Listed => tensor([.. config.TrainedBetas.Select(beta => (float)beta)], dtype: ScalarType.Float32),
            _ => throw new ArgumentOutOfRangeException(nameof(config), config.BetaCurve, "unknown curve"),
        };
    }
}
