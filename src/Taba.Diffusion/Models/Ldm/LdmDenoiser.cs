using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Ldm;

/// <summary>A UNet of latent diffusion as a denoiser.</summary>
sealed class LdmDenoiser(UNet2DModel network, StateShape shape) : IDenoiser
{
    public StateShape Shape => shape;

    public Device Device => network.Device;

    public int? ClassCount => null;

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        using var scope = NewDisposeScope();
        return EpsChannels.Of(network.Forward(xt, timesteps), shape.Channels).MoveToOuterDisposeScope();
    }

    public void Dispose() => network.Dispose();
}
