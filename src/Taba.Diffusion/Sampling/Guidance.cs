using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>Classifier-free guidance (Ho and Salimans 2022, equation 6 in diffusers' scale): eps = u + g·(c - u).</summary>
public static class Guidance
{
    /// <summary>True when a scale asks for guidance; upstream's rule in every family.</summary>
    public static bool IsOn(double scale) => scale > 1;

    /// <summary>Combines predictions.</summary>
    /// <param name="conditional">c, [G,C,H,W].</param>
    /// <param name="unconditional">u, same shape.</param>
    /// <param name="scales">g, [G,1,1,1], of the same type.</param>
    /// <returns>A new tensor, same shape.</returns>
    public static Tensor Combine(Tensor conditional, Tensor unconditional, Tensor scales)
    {
        using var scope = NewDisposeScope();
        return conditional.sub(unconditional).mul_(scales).add_(unconditional, Scalars.One).MoveToOuterDisposeScope();
    }
}
