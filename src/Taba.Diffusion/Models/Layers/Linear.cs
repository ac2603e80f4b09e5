using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>x·Wᵀ + b over the last axis.</summary>
/// <param name="weight">[Out,In].</param>
/// <param name="bias">[Out], or null.</param>
sealed class Linear(Tensor weight, Tensor? bias)
{
    /// <param name="x">[...,In], of the weight's type.</param>
    public Tensor Forward(Tensor x) => nn.functional.linear(x, weight, bias);
}
