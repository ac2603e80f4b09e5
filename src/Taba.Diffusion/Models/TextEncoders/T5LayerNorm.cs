using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// Root-mean-square normalisation (Zhang and Sennrich 2019): no mean is taken off and no bias added. Computed in float32, then
/// rounded to the type of the weight.
/// </summary>
sealed class T5LayerNorm(Tensor weight, double epsilon)
{
    readonly Scalar _epsilon = epsilon.ToScalar();

    /// <param name="x">[B,L,d_model], of any type.</param>
    /// <returns>[B,L,d_model], of the weight's type.</returns>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var wide = x.AtLeastSingle();
        var scale = wide.pow(Scalars.Two).mean([-1], keepdim: true).add(_epsilon, Scalars.One).rsqrt();
        return wide.mul(scale).to(weight.dtype).mul(weight).MoveToOuterDisposeScope();
    }
}
