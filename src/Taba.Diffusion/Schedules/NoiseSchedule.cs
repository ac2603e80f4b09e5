namespace Taba.Diffusion.Schedules;

/// <summary>The curves of β over the training steps of a model.</summary>
public enum NoiseSchedule
{
    /// <summary>β evenly spaced (Ho et al. 2020), scaled so that its ends do not depend on the number of steps.</summary>
    Linear,

    /// <summary>ᾱ follows a squared cosine (Nichol and Dhariwal 2021).</summary>
    Cosine,
}
