using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>Normalisation over the last axis (Ba et al. 2016), eps 1e-5, with weight and bias at <paramref name="prefix"/>.</summary>
sealed class LayerNorm(ParameterSet parameters, string prefix)
{
    readonly Tensor _weight = parameters[$"{prefix}.weight"];
    readonly Tensor _bias = parameters[$"{prefix}.bias"];

    /// <param name="x">[...,C], of the weight's type.</param>
    public Tensor Forward(Tensor x) => nn.functional.layer_norm(x, [_weight.size(0)], _weight, _bias, 1e-5);
}
