namespace Taba.Diffusion.Schedules;

/// <summary>Which way a trajectory runs.</summary>
public enum Direction
{
    /// <summary>From noise x_T to an image x_0.</summary>
    Sampling,

    /// <summary>From an image to a latent (DDIM inversion).</summary>
    Inversion,
}

/// <summary>How x̂0 is treated between the prediction and the update.</summary>
public enum PredictionRule
{
    /// <summary>ADM: x̂0 clamped to [-1,1], then eps re-derived from the clamped x̂0 (upstream-behaviour 4.1).</summary>
    ClampAndRederive,

    /// <summary>x̂0 is left as it is and eps is the network's.</summary>
    Plain,
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
