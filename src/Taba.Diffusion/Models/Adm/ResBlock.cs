using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>
/// Two convolutions around the time embedding, and a skip. With scale-shift norm the embedding modulates the second
/// normalisation, otherwise it is added. A resampling block resamples between the first SiLU and convolution, and the skip.
/// </summary>
sealed class ResBlock(LayerOptions options, Resampling resampling, bool scaleShift) : ILayer
{
    public required GroupNorm InNorm { get; init; }

    public required Convolution InConv { get; init; }

    public required Tensor EmbWeight { get; init; }

    public required Tensor EmbBias { get; init; }

    public required GroupNorm OutNorm { get; init; }

    public required Convolution OutConv { get; init; }

    /// <summary>1x1; null when the width stays the same.</summary>
    public Convolution? Skip { get; init; }

    public Tensor Forward(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var h = InNorm.Forward(x).Then(options.Silu).Then(y => Resample.Apply(resampling, y)).Then(InConv.Forward);
        h = Condition(h, emb).Then(options.Silu).Then(OutConv.Forward);
        var skip = Resample.Apply(resampling, x);
        if (Skip is not null)
            skip = Skip.Forward(skip);
        return (options.InPlace ? h.add_(skip, Scalars.One) : h.add(skip, Scalars.One)).MoveToOuterDisposeScope();
    }

    Tensor Condition(Tensor h, Tensor emb)
    {
        var projected = nn.functional.linear(emb, EmbWeight, EmbBias).to(h.dtype).unsqueeze(-1).unsqueeze(-1);
        if (!scaleShift)
            return h.Then(y => options.InPlace ? y.add_(projected, Scalars.One) : y.add(projected, Scalars.One)).Then(OutNorm.Forward);
        var halves = projected.chunk(2, 1);
        var scale = halves[0].add(Scalars.One, Scalars.One);
        return h.Then(OutNorm.Forward)
            .Then(y => options.InPlace ? y.mul_(scale).add_(halves[1], Scalars.One) : halves[1].addcmul(y, scale, Scalars.One));
    }
}
