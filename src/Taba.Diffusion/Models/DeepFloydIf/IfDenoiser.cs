using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>DeepFloyd IF's first stage as a denoiser: eps alone, whether or not the network learned a variance.</summary>
sealed class IfDenoiser(UNet2DConditionModel network, StateShape shape, TextShape text, ScalarType dtype) : IDenoiser
{
    public StateShape Shape => shape;

    public Device Device => network.Device;

    public int? ClassCount => null;

    public TextShape? Text => text;

    public ScalarType TextType => dtype;

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        using var scope = NewDisposeScope();
        return EpsChannels.Of(network.Forward(xt, timesteps, conditions), shape.Channels).MoveToOuterDisposeScope();
    }

    public void Dispose() => network.Dispose();
}
