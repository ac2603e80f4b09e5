using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>One block of the UNet.</summary>
/// <param name="Name">Such as <c>down_blocks.1</c>.</param>
/// <param name="Resnets">In the order of evaluation.</param>
/// <param name="Attentions">
/// None, or one after each residual block; in the middle there is one less, since the last residual block ends it.
/// </param>
/// <param name="Sampler">The residual block that changes the resolution at the end; null when it stays.</param>
sealed record UNetBlockPlan(string Name, IReadOnlyList<ResnetPlan> Resnets, IReadOnlyList<AddedKvAttentionPlan> Attentions, ResnetPlan? Sampler)
{
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
        var widths = config.BlockOutChannels;
        var last = widths.Length - 1;
        var down = new List<UNetBlockPlan>();
        for (var level = 0; level <= last; level++)
        {
            var (name, width) = ($"down_blocks.{level}", widths[level]);
            var previous = level == 0 ? width : widths[level - 1];
            down.Add(new UNetBlockPlan(
                name,
                [.. Enumerable.Range(0, config.LayersPerBlock).Select(i => Resnet(name, i, i == 0 ? previous : width, width))],
                Attentions(name, config.DownAttention[level] ? config.LayersPerBlock : 0, width),
                level == last ? null : new ResnetPlan($"{name}.downsamplers.0", width, width, style, Resampling.Down)));
        }

        var mid = new UNetBlockPlan(
            "mid_block",
            [.. Enumerable.Range(0, 2).Select(i => Resnet("mid_block", i, widths[last], widths[last]))],
            Attentions("mid_block", 1, widths[last]),
            Sampler: null);

        var up = new List<UNetBlockPlan>();
        for (var block = 0; block <= last; block++)
        {
            var level = last - block;
            var (name, width) = ($"up_blocks.{block}", widths[level]);
            var deeper = widths[Math.Min(level + 1, last)];
            var shallower = widths[Math.Max(level - 1, 0)];

            // Each takes the state and one skip of the way down; the last skip of a level came into it from the shallower one.
            up.Add(new UNetBlockPlan(
                name,
                [
                    .. Enumerable.Range(0, config.LayersPerBlock + 1)
                        .Select(i => Resnet(name, i, (i == 0 ? deeper : width) + (i == config.LayersPerBlock ? shallower : width), width)),
                ],
                Attentions(name, config.UpAttention[block] ? config.LayersPerBlock + 1 : 0, width),
                level == 0 ? null : new ResnetPlan($"{name}.upsamplers.0", width, width, style, Resampling.Up)));
        }

        return new UNetPlan(down, mid, up);

        ResnetPlan Resnet(string block, int i, int input, int output) => new($"{block}.resnets.{i}", input, output, style);

        IReadOnlyList<AddedKvAttentionPlan> Attentions(string block, int count, int width) =>
        [
            .. Enumerable.Range(0, count).Select(i => new AddedKvAttentionPlan(
                $"{block}.attentions.{i}", width, config.AttentionHeadDim, config.CrossAttentionDim, config.NormNumGroups, config.CrossAttentionNorm)),
        ];
    }
}
