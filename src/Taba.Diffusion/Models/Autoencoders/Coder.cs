using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>The blocks of an encoder or a decoder, with their widths: a convolution, blocks, a normalised convolution.</summary>
/// <param name="Prefix">encoder or decoder.</param>
/// <param name="In">Channels that come in.</param>
/// <param name="Out">Channels that go out.</param>
/// <param name="Blocks">In the order of evaluation; the middle is among them.</param>
/// <param name="First">Width behind the first convolution.</param>
/// <param name="Last">Width before the last one.</param>
sealed record CoderPlan(string Prefix, int In, int Out, IReadOnlyList<BlockPlan> Blocks, int First, int Last)
{
    public const double Eps = 1e-6;

    /// <summary>Pictures to latents, or to their means and variances.</summary>
    public static CoderPlan Encoder(CoderConfig config, int outChannels)
    {
        var widths = config.BlockOutChannels;
        var blocks = UNetWidths.Down(widths, config.LayersPerBlock).Select((block, i) => Block(
            config, $"encoder.down_blocks.{i}", block.Inputs, block.Width, block.Resamples ? Resampling.Down : Resampling.None));
        return new CoderPlan("encoder", config.InChannels, outChannels, [.. blocks, Middle(config, "encoder")], widths[0], widths[^1]);
    }

    /// <summary>Latents to pictures. Without skips a block takes what the deeper one gives.</summary>
    public static CoderPlan Decoder(CoderConfig config)
    {
        var widths = config.BlockOutChannels;
        var blocks = Enumerable.Range(0, widths.Length).Select(i =>
        {
            var level = widths.Length - 1 - i;
            var (width, deeper) = (widths[level], widths[Math.Min(level + 1, widths.Length - 1)]);
            return Block(config, $"decoder.up_blocks.{i}", [deeper, .. Enumerable.Repeat(width, config.LayersPerBlock)], width, level > 0 ? Resampling.Up : Resampling.None);
        });
        return new CoderPlan("decoder", config.LatentChannels, config.OutChannels, [Middle(config, "decoder"), .. blocks], widths[^1], widths[0]);
    }

    public void Declare(ParameterList list)
    {
        list.Conv($"{Prefix}.conv_in", In, First, 3);
        foreach (var block in Blocks)
            block.Declare(list);
        list.Norm($"{Prefix}.conv_norm_out", Last);
        list.Conv($"{Prefix}.conv_out", Last, Out, 3);
    }

    static BlockPlan Block(CoderConfig config, string name, IReadOnlyList<int> inputs, int width, Resampling resampling) =>
        new(name, [.. inputs.Select((input, i) => new ResnetPlan($"{name}.resnets.{i}", input, width, Style(config)))], [], width, resampling);

    static BlockPlan Middle(CoderConfig config, string prefix)
    {
        var (name, width) = ($"{prefix}.mid_block", config.BlockOutChannels[^1]);
        return new BlockPlan(
            name,
            [.. Enumerable.Range(0, 2).Select(i => new ResnetPlan($"{name}.resnets.{i}", width, width, Style(config)))],
            config.MidAttention ? [new SpatialAttentionPlan($"{name}.attentions.0", width, Heads: 1, config.NormNumGroups, Eps)] : [],
            width,
            Resampling.None);
    }

    static ResnetStyle Style(CoderConfig config) => new(config.NormNumGroups, Eps, config.Activation);
}

/// <summary>An encoder or a decoder with its parameters (Rombach et al. 2022, appendix G).</summary>
sealed class Coder(CoderPlan plan, CoderConfig config, ParameterSet parameters)
{
    readonly Convolution convIn = parameters.Conv($"{plan.Prefix}.conv_in");
    // The encoder pads what it halves at the bottom and right only.
    readonly UNetBlock[] blocks = [.. plan.Blocks.Select(block => block.Over(parameters, downsamplePadding: 0))];
    readonly GroupNorm normOut = parameters.Norm($"{plan.Prefix}.conv_norm_out", config.NormNumGroups, CoderPlan.Eps);
    readonly Convolution convOut = parameters.Conv($"{plan.Prefix}.conv_out");

    /// <param name="x">[B,In,H,W], of the parameters' type.</param>
    /// <returns>[B,Out,H',W'].</returns>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = convIn.Forward(MemoryLayout.Suited(x));
        foreach (var block in blocks)
            h = block.Plain(h);
        return h.Then(normOut.Forward).Then(config.Activation).Then(convOut.Forward).MoveToOuterDisposeScope();
    }
}
