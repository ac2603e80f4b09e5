using System.Collections.Immutable;
using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Ldm;

/// <summary>The architecture of an unconditional UNet, in the words of the config.json of diffusers' UNet2DModel. Immutable.</summary>
public sealed record UNet2DConfig
{
    const string DownPlain = "DownBlock2D";
    const string DownAttn = "AttnDownBlock2D";
    const string UpPlain = "UpBlock2D";
    const string UpAttn = "AttnUpBlock2D";
    const int MaxWidth = 65_536;
    const int MaxLevels = 8;

    public required int InChannels { get; init; }

    public required int OutChannels { get; init; }

    /// <summary>Widths of the levels, shallowest first.</summary>
    public required ImmutableArray<int> BlockOutChannels { get; init; }

    /// <summary>For each block on the way down, whether it has attention (down_block_types).</summary>
    public required ImmutableArray<bool> DownAttention { get; init; }

    /// <summary>For each block on the way up, deepest first, whether it has attention (up_block_types).</summary>
    public required ImmutableArray<bool> UpAttention { get; init; }

    /// <summary>Residual blocks of a level on the way down; on the way up there is one more.</summary>
    public required int LayersPerBlock { get; init; }

    /// <summary>Channels of one attention head; null for one head.</summary>
    public required int? AttentionHeadDim { get; init; }

    /// <summary>True when the middle has attention (add_attention).</summary>
    public required bool MidAttention { get; init; }

    /// <summary>Groups of the middle attention's normalisation (attn_norm_num_groups); null follows the residual blocks.</summary>
    public required int? AttnNormNumGroups { get; init; }

    public required int NormNumGroups { get; init; }

    public required double NormEps { get; init; }

    /// <summary>True when the time embedding modulates the second normalisation of a block (resnet_time_scale_shift).</summary>
    public required bool ScaleShift { get; init; }

    /// <summary>The divisor of the middle's sums (mid_block_scale_factor).</summary>
    public required double MidBlockScaleFactor { get; init; }

    /// <summary>Zeros around a state that is downsampled: 1, or 0 for the bottom and right only (downsample_padding).</summary>
    public required int DownsamplePadding { get; init; }

    public required bool FlipSinToCos { get; init; }

    public required double FreqShift { get; init; }

    internal Activation Activation { get; init; }

    /// <summary>Width of the time embedding.</summary>
    public int TimeEmbedDim => 4 * BlockOutChannels[0];

    /// <summary>The divisor that the sides of a state must have.</summary>
    public int SideMultiple => 1 << (BlockOutChannels.Length - 1);

    /// <summary>
    /// Reads a config.json. Unknown fields are ignored; values that would change the result and are not supported are refused.
    /// </summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static UNet2DConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("_class_name", "UNet2DModel", "UNet2DModel");
        fields.Choice("time_embedding_type", "positional", "positional");
        fields.Choice("downsample_type", "conv", "conv");
        fields.Choice("upsample_type", "conv", "conv");
        fields.Only("center_input_sample", false);
        fields.OnlyNull("class_embed_type", "num_class_embeds");
        var config = new UNet2DConfig
        {
            InChannels = fields.Int("in_channels", 3, 1, 1024),
            OutChannels = fields.Int("out_channels", 3, 1, 1024),
            BlockOutChannels = [.. fields.Ints("block_out_channels", 1, MaxWidth)],
            DownAttention = [.. fields.Names("down_block_types", DownPlain, DownAttn).Select(name => name == DownAttn)],
            UpAttention = [.. fields.Names("up_block_types", UpPlain, UpAttn).Select(name => name == UpAttn)],
            LayersPerBlock = fields.Int("layers_per_block", 2, 1, 64),
            // An absent field means 8, a null the whole width.
            AttentionHeadDim = element.TryGetProperty("attention_head_dim", out _) ? fields.OptionalInt(
                "attention_head_dim", 1, MaxWidth) : 8,
            MidAttention = fields.Bool("add_attention", true),
            AttnNormNumGroups = fields.OptionalInt("attn_norm_num_groups", 1, MaxWidth),
            NormNumGroups = fields.Int("norm_num_groups", 32, 1, MaxWidth),
            NormEps = fields.Number("norm_eps", 1e-5, 0, 1),
            ScaleShift = fields.Choice("resnet_time_scale_shift", "default", "default", "scale_shift") == "scale_shift",
            MidBlockScaleFactor = fields.Number("mid_block_scale_factor", 1, 1e-6, 1e6),
            DownsamplePadding = fields.Int("downsample_padding", 1, 0, 1),
            FlipSinToCos = fields.Bool("flip_sin_to_cos", true),
            FreqShift = fields.Number("freq_shift", 0, 0, 1),
            Activation = fields.ActFn("act_fn", "silu"),
        };
        config.Validate(fields);
        return config;
    }

    /// <summary>Heads of an attention of that width.</summary>
    internal int Heads(int width) => AttentionHeadDim is { } channels ? width / channels : 1;

    void Validate(JsonFields fields)
    {
        var levels = BlockOutChannels.Length;
        if (levels > MaxLevels)
            throw fields.Wrong("block_out_channels", $"an array of at most {MaxLevels} widths");
        if (DownAttention.Length != levels)
            throw fields.Wrong("down_block_types", $"as long as block_out_channels ({levels})");
        if (UpAttention.Length != levels)
            throw fields.Wrong("up_block_types", $"as long as block_out_channels ({levels})");
        if (BlockOutChannels[0] % 2 != 0)
            throw fields.Wrong("block_out_channels", "even in its first width, which the sines and cosines of a timestep share");
        if (BlockOutChannels.Any(width => width % NormNumGroups != 0))
            throw fields.Wrong("norm_num_groups", $"a divisor of all block_out_channels ({string.Join(", ", BlockOutChannels)})");
        if (AttnNormNumGroups is { } groups && BlockOutChannels[^1] % groups != 0)
            throw fields.Wrong("attn_norm_num_groups", $"a divisor of the last of block_out_channels ({BlockOutChannels[^1]})");
        var attended = AttentionWidths().ToList();
        if (AttentionHeadDim is { } channels && attended.Any(width => width % channels != 0))
            throw fields.Wrong(
                "attention_head_dim", $"an integer that divides the widths of the blocks with attention ({string.Join(", ", attended)})");
    }

    IEnumerable<int> AttentionWidths() =>
        BlockOutChannels.Where((_, level) => DownAttention[level] || UpAttention[BlockOutChannels.Length - 1 - level]
            || (MidAttention && level == BlockOutChannels.Length - 1));
}
