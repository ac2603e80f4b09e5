using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>
/// Two convolutions around the time embedding, and a skip. With scale-shift norm the embedding modulates the second
/// normalisation, otherwise it is added. A resampling block resamples between the first SiLU and convolution, and the skip.
/// </summary>
sealed class ResBlock(LayerOptions options, Resampling resampling, bool scaleShift, TimeProjections times, int time) : ILayer
{
    public required GroupNorm InNorm { get; init; }

    public required Convolution InConv { get; init; }

    public required GroupNorm OutNorm { get; init; }

    public required Convolution OutConv { get; init; }

    /// <summary>1x1; null when the width stays the same.</summary>
    public Convolution? Skip { get; init; }

    public Tensor Forward(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var h = InNorm.Forward(x, Activation.Silu, options.InPlace)
            .Then(y => Resample.Apply(resampling, y, options.Fast)).Then(InConv.Forward);
        h = OutNorm.Forward(
            h, scaleShift ? Modulation.ScaleShift : Modulation.Add, times.Of(emb, time), Activation.Silu, options.InPlace);
        var skip = Resample.Apply(resampling, x, options.Fast);
        if (Skip is not null)
            skip = Skip.Forward(skip);
        return h.Then(y => OutConv.Forward(y, plus: skip)).MoveToOuterDisposeScope();
    }
}
