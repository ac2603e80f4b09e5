using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>One block of the UNet.</summary>
/// <param name="Name">Such as <c>down_blocks.1</c>.</param>
/// <param name="Resnets">In the order of evaluation.</param>
/// <param name="Attentions">
/// None, or one after each residual block; in the middle there is one less, since the last residual block ends it.
/// </param>
/// <param name="Sampler">The residual block that changes the resolution at the end; null when it stays.</param>
sealed record UNetBlockPlan(
    string Name, IReadOnlyList<ResnetPlan> Resnets, IReadOnlyList<AddedKvAttentionPlan> Attentions, ResnetPlan? Sampler)
{
    /// <summary>The block over its parameters.</summary>
    public UNetBlock Over(ParameterSet parameters) => new(
        Name,
        [.. Resnets.Select(resnet => new ResnetBlock2D(resnet, parameters))],
        [.. Attentions.Select(attention => Of(new AddedKvAttention(attention, parameters)))],
        Sampler is null ? null : new ResnetBlock2D(Sampler, parameters).Forward);

    static BlockAttention Of(AddedKvAttention attention) =>
        (x, text) => attention.Forward(x, text ?? throw new ArgumentNullException(nameof(text)));

    public void Declare(ParameterList list)
    {
        foreach (var attention in Attentions)
            attention.Declare(list);
        foreach (var resnet in Resnets)
            resnet.Declare(list);
        Sampler?.Declare(list);
    }
}

/// <summary>The blocks that a config asks for, with their widths.</summary>
sealed record UNetPlan(IReadOnlyList<UNetBlockPlan> Down, UNetBlockPlan Mid, IReadOnlyList<UNetBlockPlan> Up)
{
    public static UNetPlan Of(UNet2DConditionConfig config)
    {
        var style = new ResnetStyle(config.NormNumGroups, config.NormEps, config.Activation, config.TimeEmbedDim, config.ScaleShift);
        var deepest = config.BlockOutChannels[^1];
        var mid = new UNetBlockPlan(
            "mid_block",
            [.. Enumerable.Range(0, 2).Select(i => Resnet("mid_block", i, deepest, deepest))],
            Attentions("mid_block", 1, deepest),
            Sampler: null);
        return new UNetPlan(
            [.. UNetWidths.Down(config.BlockOutChannels, config.LayersPerBlock).Select(
                (block, i) => Block($"down_blocks.{i}", block, config.DownAttention[i], Resampling.Down))],
            mid,
            [.. UNetWidths.Up(config.BlockOutChannels, config.LayersPerBlock).Select(
                (block, i) => Block($"up_blocks.{i}", block, config.UpAttention[i], Resampling.Up))]);

        UNetBlockPlan Block(string name, BlockWidths block, bool attends, Resampling resampling) => new(
            name,
            [.. block.Inputs.Select((input, i) => Resnet(name, i, input, block.Width))],
            Attentions(name, attends ? block.Inputs.Length : 0, block.Width),
            block.Resamples
                ? new ResnetPlan(
                    $"{name}.{(resampling == Resampling.Down ? "downsamplers" : "upsamplers")}.0", block.Width, block.Width, style,
                    resampling)
                : null);

        ResnetPlan Resnet(string block, int i, int input, int output) => new($"{block}.resnets.{i}", input, output, style);

        IReadOnlyList<AddedKvAttentionPlan> Attentions(string block, int count, int width) =>
        [
            .. Enumerable.Range(0, count).Select(i => new AddedKvAttentionPlan(
                $"{block}.attentions.{i}", width, config.AttentionHeadDim, config.CrossAttentionDim, config.NormNumGroups,
                config.CrossAttentionNorm)),
        ];
    }
}
