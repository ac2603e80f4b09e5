using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>
/// Maps between the states of a latent diffusion model and pictures about [-1,1]. For inference, on one device; used by one thread at a time.
/// </summary>
public interface IAutoencoder : IDisposable
{
    /// <summary>Where the weights are.</summary>
    Device Device { get; }

    /// <summary>Pictures of states.</summary>
    /// <param name="latents">[B,C,h,w], float32, as the diffusion model has them.</param>
    /// <returns>[B,3,H,W], float32, not clamped.</returns>
    Tensor Decode(Tensor latents);

    /// <summary>States of pictures, without any chance in them.</summary>
    /// <param name="pictures">[B,3,H,W], float32.</param>
    /// <returns>[B,C,h,w], float32.</returns>
    Tensor Encode(Tensor pictures);
}
