using static TorchSharp.torch;

namespace Taba.Diffusion.Models;

/// <summary>Takes eps from the output of a network that may have learned a variance too.</summary>
static class EpsChannels
{
    /// <param name="output">[B,C or 2C,H,W].</param>
    /// <param name="channels">C.</param>
    /// <returns>[B,C,H,W], contiguous.</returns>
    public static Tensor Of(Tensor output, int channels) =>
        output.size(1) == channels ? output : output.narrow(1, 0, channels).contiguous();
}
