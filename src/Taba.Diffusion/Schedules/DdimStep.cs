namespace Taba.Diffusion.Schedules;

/// <summary>Which way a trajectory runs.</summary>
public enum Direction
{
    /// <summary>From noise x_T to an image x_0.</summary>
    Sampling,

    /// <summary>From an image to a latent (DDIM inversion).</summary>
    Inversion,
}

/// <summary>The treatments of x̂0 between the prediction and the update.</summary>
public enum PredictionRule
{
    /// <summary>ADM: x̂0 clamped to [-1,1], then eps re-derived from the clamped x̂0 (docs/upstream.md, section 6.1).</summary>
    ClampAndRederive,

    /// <summary>x̂0 is left as it is and eps is the network's.</summary>
    Plain,

    /// <summary>x̂0 clamped, eps as it came (clip_sample of diffusers; a given eps is clamped by too).</summary>
    Clamp,

    /// <summary>x̂0 dynamically thresholded, eps as it came (Saharia et al. 2022, section 2.3; DeepFloyd IF's sampling).</summary>
    Threshold,
}

/// <summary>The numbers of <see cref="PredictionRule.Clamp"/> and <see cref="PredictionRule.Threshold"/>.</summary>
/// <param name="ClipRange">x̂0 is clamped to ± this.</param>
/// <param name="ThresholdRatio">The quantile of |x̂0| that is the threshold s of a row.</param>
/// <param name="ThresholdMax">s is at least 1 and at most this; x̂0 is clamped to ± s and divided by s.</param>
public readonly record struct PredictionBounds(double ClipRange, double ThresholdRatio, double ThresholdMax)
{
    /// <summary>±1, and no threshold.</summary>
    public static PredictionBounds Unit => new(1, 0, 1);
}

/// <summary>
/// One DDIM step: the network is evaluated at <see cref="Timestep"/> on a state taken to be at level
/// <see cref="AlphaBar"/>, and the state moves to level <see cref="AlphaBarNext"/>.
/// </summary>
/// <param name="Timestep">What the network receives.</param>
/// <param name="AlphaBar">ᾱ of the state before the step, as the sampler takes it.</param>
/// <param name="AlphaBarNext">ᾱ after the step.</param>
/// <param name="SingleCoefficients">
/// The step's coefficients are float32, the square roots of the new level those of a float32 ᾱ, as upstream's ADM sampler has them.
/// </param>
public readonly record struct DdimStep(float Timestep, double AlphaBar, double AlphaBarNext, bool SingleCoefficients = false);
