using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>One block of a UNet or an autoencoder, with attention over pixels only.</summary>
/// <param name="Name">Such as <c>down_blocks.1</c> or <c>encoder.mid_block</c>.</param>
/// <param name="Resnets">In the order of evaluation.</param>
/// <param name="Attentions">None, or one after each residual block; in the middle there is one less.</param>
/// <param name="Width">Of its results.</param>
/// <param name="Resampling">What happens to the resolution at its end.</param>
sealed record BlockPlan(
    string Name, IReadOnlyList<ResnetPlan> Resnets, IReadOnlyList<SpatialAttentionPlan> Attentions, int Width, Resampling Resampling)
{
    string Sampler => $"{Name}.{(Resampling == Resampling.Down ? "downsamplers" : "upsamplers")}.0";

    public void Declare(ParameterList list)
    {
        foreach (var attention in Attentions)
            attention.Declare(list);
        foreach (var resnet in Resnets)
            resnet.Declare(list);
        if (Resampling != Resampling.None)
            Downsample2D.Declare(list, Sampler, Width);
    }

    /// <summary>The block over its parameters.</summary>
    public UNetBlock Over(ParameterSet parameters, int downsamplePadding) => new(
        Name,
        [.. Resnets.Select(resnet => new ResnetBlock2D(resnet, parameters))],
        [.. Attentions.Select(attention => Of(new SpatialAttention(attention, parameters)))],
        Resampling switch
        {
            Resampling.Down => Of(new Downsample2D(parameters, Sampler, downsamplePadding).Forward),
            Resampling.Up => Of(new Upsample2D(parameters, Sampler).Forward),
            _ => null,
        });

    static BlockAttention Of(SpatialAttention attention) => (x, _) => attention.Forward(x);

    static BlockSampler Of(Func<Tensor, Tensor> sampler) => (x, _) => sampler(x);
}
