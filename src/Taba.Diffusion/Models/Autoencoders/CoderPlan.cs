using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>One level of an encoder or decoder.</summary>
/// <param name="Resnets">In the order of evaluation.</param>
/// <param name="Sampler">Prefix of the layer that changes the resolution at the end; null when it stays.</param>
/// <param name="Width">Its channels.</param>
sealed record CoderLevelPlan(IReadOnlyList<ResnetPlan> Resnets, string? Sampler, int Width);

/// <summary>The layers of an encoder or a decoder.</summary>
/// <param name="Prefix">encoder or decoder.</param>
/// <param name="In">Channels of the input.</param>
/// <param name="First">Width after the first convolution.</param>
/// <param name="Levels">In the order of evaluation.</param>
/// <param name="MidResnets">The two of the deepest level's end (encoder) or start (decoder).</param>
/// <param name="MidAttention">Between those; null when there is none.</param>
/// <param name="Last">Width before the last convolution.</param>
/// <param name="Out">Channels of the output.</param>
/// <param name="Groups">Of the last normalisation.</param>
sealed record CoderPlan(
    string Prefix,
    int In,
    int First,
    IReadOnlyList<CoderLevelPlan> Levels,
    IReadOnlyList<ResnetPlan> MidResnets,
    SpatialAttentionPlan? MidAttention,
    int Last,
    int Out,
    int Groups)
{
    /// <summary>Of all normalisations: no config has a field for it.</summary>
    public const double Eps = 1e-6;

    public bool Decodes { get; private init; }

    /// <param name="config">The widths.</param>
    /// <param name="outputs">Channels of the result: those of a latent, or mean and log-variance of them.</param>
    public static CoderPlan Encoder(AutoencoderConfig config, int outputs)
    {
        var widths = config.BlockOutChannels;
        var last = widths.Length - 1;
        var levels = Enumerable.Range(0, widths.Length).Select(i => Level(
            config, $"encoder.down_blocks.{i}", widths[Math.Max(i - 1, 0)], widths[i], config.LayersPerBlock, i == last
                ? null
                : "downsamplers.0"));
        return Of(config, "encoder", config.Channels, widths[0], [.. levels], widths[last], outputs);
    }

    public static CoderPlan Decoder(AutoencoderConfig config)
    {
        var widths = config.BlockOutChannels;
        var last = widths.Length - 1;
        var levels = Enumerable.Range(0, widths.Length).Select(i => Level(
            config, $"decoder.up_blocks.{i}", widths[Math.Min(last - i + 1, last)], widths[last - i], config.LayersPerBlock + 1, i == last
                ? null
                : "upsamplers.0"));
        return Of(config, "decoder", config.LatentChannels, widths[last], [.. levels], widths[0], config.Channels) with { Decodes = true };
    }

    public void Declare(ParameterList list)
    {
        list.Conv($"{Prefix}.conv_in", In, First, 3);
        foreach (var level in Levels)
        {
            foreach (var resnet in level.Resnets)
                resnet.Declare(list);
            if (level.Sampler is not null)
                list.Conv($"{level.Sampler}.conv", level.Width, level.Width, 3);
        }

        MidAttention?.Declare(list);
        foreach (var resnet in MidResnets)
            resnet.Declare(list);
        list.Norm($"{Prefix}.conv_norm_out", Last);
        list.Conv($"{Prefix}.conv_out", Last, Out, 3);
    }

    static CoderPlan Of(
        AutoencoderConfig config, string prefix, int input, int first, IReadOnlyList<CoderLevelPlan> levels, int last, int output)
    {
        var (mid, deepest) = ($"{prefix}.mid_block", config.BlockOutChannels[^1]);
        return new CoderPlan(
            prefix,
            input,
            first,
            levels,
            [.. Enumerable.Range(0, 2).Select(i => new ResnetPlan($"{mid}.resnets.{i}", deepest, deepest, Style(config)))],
            config.MidBlockAddAttention ? new SpatialAttentionPlan($"{mid}.attentions.0", deepest, 1, config.NormNumGroups, Eps) : null,
            last,
            output,
            config.NormNumGroups);
    }

    static CoderLevelPlan Level(AutoencoderConfig config, string name, int input, int width, int layers, string? sampler) => new(
        [.. Enumerable.Range(0, layers).Select(i => new ResnetPlan($"{name}.resnets.{i}", i == 0 ? input : width, width, Style(config)))],
        sampler is null ? null : $"{name}.{sampler}",
        width);

    static ResnetStyle Style(AutoencoderConfig config) => new(config.NormNumGroups, Eps, config.Activation);
}
