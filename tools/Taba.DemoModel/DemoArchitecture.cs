using Taba.Diffusion.Models.Adm;

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
        NoiseSchedule = "cosine",
        RescaleTimesteps = true,
    };

    /// <summary>ᾱ of each step (Nichol and Dhariwal 2021, eq. 17).</summary>
    public static double[] AlphaBars()
    {
        var alphaBars = new double[Config.DiffusionSteps];
        var product = 1.0;
        for (var i = 0; i < alphaBars.Length; i++)
        {
            var beta = 1 - (Level((i + 1.0) / alphaBars.Length) / Level((double)i / alphaBars.Length));
            alphaBars[i] = product *= 1 - Math.Min(beta, 0.999);
        }

        return alphaBars;

        static double Level(double u) => Math.Pow(Math.Cos((u + 0.008) / 1.008 * Math.PI / 2), 2);
    }
}
