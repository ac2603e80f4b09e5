using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>A network between the space of a diffusion model's states and pictures, whose values are about [-1,1].</summary>
public interface IAutoencoder : IDisposable
{
    /// <summary>The network's device.</summary>
    Device Device { get; }

    /// <summary>States to pictures. Rows are independent of each other.</summary>
    /// <param name="latents">[B,latent channels,H,W], in the scale of the diffusion model.</param>
    /// <returns>[B,C,factor·H,factor·W], float32, not clamped.</returns>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    Tensor Decode(Tensor latents);

    /// <summary>Pictures to states. Rows are independent of each other.</summary>
    /// <param name="images">[B,C,H,W], with sides divisible by the factor.</param>
    /// <returns>[B,latent channels,H/factor,W/factor], float32, in the scale of the diffusion model.</returns>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    Tensor Encode(Tensor images);
}
