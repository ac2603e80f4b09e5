using Taba.Diffusion.Json;

namespace Taba.Diffusion.Schedules;

/// <summary>The curves of β over the training steps of a model.</summary>
public enum NoiseSchedule
{
    /// <summary>β evenly spaced (Ho et al. 2020), scaled so that its ends do not depend on the number of steps.</summary>
    Linear,

    /// <summary>ᾱ follows a squared cosine (Nichol and Dhariwal 2021).</summary>
    Cosine,
}

/// <summary>Noise schedules in descriptions of models.</summary>
static class NoiseSchedules
{
    /// <summary>A noise schedule; linear when it is absent, as in guided-diffusion.</summary>
    public static NoiseSchedule Schedule(this JsonFields fields, string name) => fields.Text(name, "linear") switch
    {
        "linear" => NoiseSchedule.Linear,
        "cosine" => NoiseSchedule.Cosine,
        _ => throw fields.Wrong(name, "\"linear\" or \"cosine\""),
    };
}
