using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Ldm;

/// <summary>The blocks that a config asks for, with their widths.</summary>
sealed record UNet2DPlan(IReadOnlyList<BlockPlan> Down, BlockPlan Mid, IReadOnlyList<BlockPlan> Up)
{
    public static UNet2DPlan Of(UNet2DConfig config)
    {
        var style = new ResnetStyle(config.NormNumGroups, config.NormEps, config.Activation, config.TimeEmbedDim, config.ScaleShift);
        return new UNet2DPlan(
            [.. UNetWidths.Down(config.BlockOutChannels, config.LayersPerBlock).Select(
                (block, i) => Block($"down_blocks.{i}", block, config.DownAttention[i], Resampling.Down))],
            Middle(),
            [.. UNetWidths.Up(config.BlockOutChannels, config.LayersPerBlock).Select(
                (block, i) => Block($"up_blocks.{i}", block, config.UpAttention[i], Resampling.Up))]);

        BlockPlan Block(string name, BlockWidths block, bool attends, Resampling resampling) => new(
            name,
            [.. block.Inputs.Select((input, i) => new ResnetPlan($"{name}.resnets.{i}", input, block.Width, style))],
            [.. Enumerable.Range(0, attends ? block.Inputs.Length : 0).Select(i => new SpatialAttentionPlan(
                $"{name}.attentions.{i}", block.Width, config.Heads(block.Width), config.NormNumGroups, config.NormEps))],
            block.Width,
            block.Resamples ? resampling : Resampling.None);

        // With a modulated second normalisation the middle attention of diffusers has none of its own, unless the config gives its groups.
        BlockPlan Middle()
        {
            var width = config.BlockOutChannels[^1];
            var factor = config.MidBlockScaleFactor;
            var groups = config.AttnNormNumGroups ?? (config.ScaleShift ? null : config.NormNumGroups);
            return new BlockPlan(
                "mid_block",
                [.. Enumerable.Range(0, 2).Select(
                    i => new ResnetPlan($"mid_block.resnets.{i}", width, width, style) { OutputScaleFactor = factor })],
                config.MidAttention
                    ? [new SpatialAttentionPlan(
                        "mid_block.attentions.0", width, config.Heads(width), groups, config.NormEps) { OutputScaleFactor = factor }]
                    : [],
                width,
                Resampling.None);
        }
    }
}
