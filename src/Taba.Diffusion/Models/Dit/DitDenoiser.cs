using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>A diffusion transformer as a denoiser: eps alone, the learned variance dropped.</summary>
sealed class DitDenoiser(DitTransformer network, StateShape shape, int classes) : IDenoiser
{
    public StateShape Shape => shape;

    public Device Device => network.Device;

    public int? ClassCount => classes;

    /// <remarks>The last row of the class table stands for no class.</remarks>
    public long? NullClass => classes;

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        using var scope = NewDisposeScope();
        return EpsChannels.Of(network.Forward(xt, timesteps, conditions), shape.Channels).MoveToOuterDisposeScope();
    }

    public void Dispose() => network.Dispose();
}
