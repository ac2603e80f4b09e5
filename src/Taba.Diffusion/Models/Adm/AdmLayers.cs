using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Adm;

/// <summary>The arithmetic of one network's layers.</summary>
/// <param name="Torso">The element type of states and convolutions between the first and the last layer.</param>
/// <param name="InPlace">Whether intermediates may be overwritten; false when gradients are wanted.</param>
sealed record LayerOptions(ScalarType Torso, bool InPlace)
{
    public Tensor Silu(Tensor x) => silu(x, InPlace);
}

/// <summary>A layer with its parameters. <c>Forward</c> leaves its result in the caller's dispose scope.</summary>
interface ILayer
{
    /// <param name="x">[B,C,H,W] in the torso's element type.</param>
    /// <param name="emb">[B,4C], float32: SiLU of the time (and class) embedding.</param>
    Tensor Forward(Tensor x, Tensor emb);
}

/// <summary>A convolution as a layer of its own: the first one, and those that change the resolution.</summary>
sealed class ConvLayer(Convolution convolution, Resampling resampling) : ILayer
{
    public Tensor Forward(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var result = resampling switch
        {
            Resampling.Up => convolution.Forward(Resample.Double(x)),
            Resampling.Down => MemoryLayout.Suited(convolution.Forward(x)),
            _ => convolution.Forward(x),
        };
        return result.MoveToOuterDisposeScope();
    }
}
