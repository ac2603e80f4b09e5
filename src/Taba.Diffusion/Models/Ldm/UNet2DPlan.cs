using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Ldm;

/// <summary>One block of the UNet.</summary>
/// <param name="Name">Such as <c>down_blocks.1</c>.</param>
/// <param name="Resnets">In the order of evaluation.</param>
/// <param name="Attentions">None, or one after each residual block; in the middle there is one less.</param>
/// <param name="Width">Of its results.</param>
/// <param name="Resampling">What happens to the resolution at its end.</param>
sealed record UNet2DBlockPlan(
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

    static BlockSampler Of(Func<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor> sampler) => (x, _) => sampler(x);
}

/// <summary>The blocks that a config asks for, with their widths.</summary>
sealed record UNet2DPlan(IReadOnlyList<UNet2DBlockPlan> Down, UNet2DBlockPlan Mid, IReadOnlyList<UNet2DBlockPlan> Up)
{
    public static UNet2DPlan Of(UNet2DConfig config)
    {
        var style = new ResnetStyle(config.NormNumGroups, config.NormEps, config.Activation, config.TimeEmbedDim, config.ScaleShift);
        return new UNet2DPlan(
            [.. UNetWidths.Down(config.BlockOutChannels, config.LayersPerBlock).Select((block, i) => Block($"down_blocks.{i}", block, config.DownAttention[i], Resampling.Down))],
            Middle(),
            [.. UNetWidths.Up(config.BlockOutChannels, config.LayersPerBlock).Select((block, i) => Block($"up_blocks.{i}", block, config.UpAttention[i], Resampling.Up))]);

        UNet2DBlockPlan Block(string name, BlockWidths block, bool attends, Resampling resampling) => new(
            name,
            [.. block.Inputs.Select((input, i) => new ResnetPlan($"{name}.resnets.{i}", input, block.Width, style))],
            [.. Enumerable.Range(0, attends ? block.Inputs.Length : 0).Select(i => new SpatialAttentionPlan(
                $"{name}.attentions.{i}", block.Width, config.Heads(block.Width), config.NormNumGroups, config.NormEps))],
            block.Width,
            block.Resamples ? resampling : Resampling.None);

        // With a modulated second normalisation the middle attention of diffusers has none of its own, unless the config gives its groups.
        UNet2DBlockPlan Middle()
        {
            var width = config.BlockOutChannels[^1];
            var factor = config.MidBlockScaleFactor;
            var groups = config.AttnNormNumGroups ?? (config.ScaleShift ? null : config.NormNumGroups);
            return new UNet2DBlockPlan(
                "mid_block",
                [.. Enumerable.Range(0, 2).Select(i => new ResnetPlan($"mid_block.resnets.{i}", width, width, style) { OutputScaleFactor = factor })],
                config.MidAttention
                    ? [new SpatialAttentionPlan("mid_block.attentions.0", width, config.Heads(width), groups, config.NormEps) { OutputScaleFactor = factor }]
                    : [],
                width,
                Resampling.None);
        }
    }
}
