using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>The arithmetic of one network's layers.</summary>
/// <param name="Torso">The element type of states and convolutions between the first and the last layer.</param>
/// <param name="InPlace">Whether intermediates may be overwritten; false when gradients are wanted.</param>
/// <param name="Fast">Whether states have the channels innermost, whatever their size.</param>
sealed record LayerOptions(ScalarType Torso, bool InPlace, bool Fast);

/// <summary>A layer with its parameters. <c>Forward</c> leaves its result in the caller's dispose scope.</summary>
interface ILayer
{
    /// <param name="x">[B,C,H,W] in the torso's element type.</param>
    /// <param name="emb">Of <see cref="TimeProjections.Prepare"/>, float32: SiLU of the time (and class) embedding.</param>
    Tensor Forward(Tensor x, Tensor emb);
}

/// <summary>A convolution as a layer of its own: the first one, and those that change the resolution.</summary>
sealed class ConvLayer(LayerOptions options, Convolution convolution, Resampling resampling) : ILayer
{
    public Tensor Forward(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var result = resampling switch
        {
            Resampling.Up => convolution.Forward(Resample.Double(x, options.Fast)),
            Resampling.Down when !options.Fast => MemoryLayout.Suited(convolution.Forward(x)),
            _ => convolution.Forward(x),
        };
        return result.MoveToOuterDisposeScope();
    }
}
