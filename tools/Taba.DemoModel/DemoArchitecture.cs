using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Schedules;

namespace Taba.DemoModel;

/// <summary>The model that ships with Taba: small enough for a laptop's processor.</summary>
static class DemoArchitecture
{
    public static AdmConfig Config { get; } = new()
    {
        ImageSize = ShapePictures.Size,
        NumChannels = 64,
        NumResBlocks = 1,
        NumHeads = 4,
        AttentionResolutions = [8],
        ChannelMult = [1, 1, 1],
        UseScaleShiftNorm = true,
        LearnSigma = false,
        DiffusionSteps = 1000,
        NoiseSchedule = NoiseSchedule.Cosine,
        RescaleTimesteps = true,
    };

    /// <summary>The noise levels of a number of inference steps.</summary>
    public static AdmSchedule Schedule(int steps) => new(Config.DiffusionSteps, Config.NoiseSchedule, Config.RescaleTimesteps, steps);

    /// <summary>ᾱ of each step.</summary>
    public static double[] AlphaBars()
    {
        var betas = BetaSchedule.Create(Config.NoiseSchedule, Config.DiffusionSteps);
        var product = 1.0;
        return [.. betas.Select(beta => product *= 1 - beta)];
    }
}
