using System.Collections.Immutable;
using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>The normalisation of the text before an attention's own projections of it.</summary>
public enum CrossAttentionNorm
{
    None,
    LayerNorm,
    GroupNorm,
}

/// <summary>
/// The architecture of DeepFloyd IF's first stage, in the words of the config.json of diffusers' UNet2DConditionModel, of which it
/// covers the blocks with added text keys ("SimpleCrossAttn") and those without attention. Immutable.
/// </summary>
public sealed record UNet2DConditionConfig
{
    internal const string ResnetDown = "ResnetDownsampleBlock2D";
    internal const string AttentionDown = "SimpleCrossAttnDownBlock2D";
    internal const string ResnetUp = "ResnetUpsampleBlock2D";
    internal const string AttentionUp = "SimpleCrossAttnUpBlock2D";
    internal const string AttentionMid = "UNetMidBlock2DSimpleCrossAttn";

    /// <summary>
    /// Groups of <see cref="CrossAttentionNorm.GroupNorm"/>, whatever norm_num_groups is: diffusers gives no field for it.
    /// </summary>
    internal const int CrossNormGroups = 32;

    const int MaxWidth = 65_536;

    /// <summary>Channels, height and width of a state (in_channels, sample_size).</summary>
    public required StateShape Shape { get; init; }

    /// <summary>Channels of the output: eps and, with a learned variance, as many again.</summary>
    public required int OutChannels { get; init; }

    /// <summary>Widths of the levels, shallowest first.</summary>
    public required ImmutableArray<int> BlockOutChannels { get; init; }

    /// <summary>For each level on the way down, whether its block has attention (down_block_types).</summary>
    public required ImmutableArray<bool> DownAttention { get; init; }

    /// <summary>For each block on the way up, deepest first, whether it has attention (up_block_types).</summary>
    public required ImmutableArray<bool> UpAttention { get; init; }

    /// <summary>Residual blocks of a level on the way down; on the way up there is one more.</summary>
    public required int LayersPerBlock { get; init; }

    /// <summary>Channels of one attention head.</summary>
    public required int AttentionHeadDim { get; init; }

    /// <summary>Width of the text as the attentions see it.</summary>
    public required int CrossAttentionDim { get; init; }

    /// <summary>Width of the text encoder's result.</summary>
    public required int EncoderHidDim { get; init; }

    /// <summary>Heads of the attention that pools the text for the time embedding.</summary>
    public required int AdditionEmbedTypeNumHeads { get; init; }

    public required CrossAttentionNorm CrossAttentionNorm { get; init; }

    public required int NormNumGroups { get; init; }

    public required double NormEps { get; init; }

    /// <summary>True when the time embedding modulates the second normalisation of a block (resnet_time_scale_shift).</summary>
    public required bool ScaleShift { get; init; }

    public required bool FlipSinToCos { get; init; }

    public required double FreqShift { get; init; }

    public required int ConvInKernel { get; init; }

    public required int ConvOutKernel { get; init; }

    internal Activation Activation { get; init; }

    /// <summary>Width of the time embedding.</summary>
    public int TimeEmbedDim => 4 * BlockOutChannels[0];

    /// <summary>The divisor that the sides of a state must have: each level but the last halves them.</summary>
    public int SideMultiple => 1 << (BlockOutChannels.Length - 1);

    /// <summary>
    /// Reads a config.json. Fields that change nothing in these blocks, and unknown ones, are ignored; values that would change the
    /// result and are not supported are refused.
    /// </summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static UNet2DConditionConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("_class_name", "UNet2DConditionModel", "UNet2DConditionModel");
        RefuseUnsupported(fields);
        var (height, width) = fields.Size("sample_size", 8192);
        fields.Choice("mid_block_type", "UNetMidBlock2DCrossAttn", AttentionMid);
        var config = new UNet2DConditionConfig
        {
            Shape = new StateShape(fields.Int("in_channels", 4, 1, 1024), height, width),
            OutChannels = fields.Int("out_channels", 4, 1, 1024),
            BlockOutChannels = [.. fields.Ints("block_out_channels", 1, MaxWidth)],
            DownAttention = [.. fields.Names("down_block_types", ResnetDown, AttentionDown).Select(name => name == AttentionDown)],
            UpAttention = [.. fields.Names("up_block_types", ResnetUp, AttentionUp).Select(name => name == AttentionUp)],
            LayersPerBlock = fields.Int("layers_per_block", 2, 1, 64),
            AttentionHeadDim = fields.Int("attention_head_dim", 8, 1, MaxWidth),
            CrossAttentionDim = fields.Int("cross_attention_dim", 1280, 1, MaxWidth),
            EncoderHidDim = fields.Int("encoder_hid_dim", null, 1, MaxWidth),
            AdditionEmbedTypeNumHeads = fields.Int("addition_embed_type_num_heads", 64, 1, 1024),
            CrossAttentionNorm = !fields.Has("cross_attention_norm") ? CrossAttentionNorm.None
                : fields.Choice("cross_attention_norm", null, "group_norm", "layer_norm") == "group_norm" ? CrossAttentionNorm.GroupNorm
                : CrossAttentionNorm.LayerNorm,
            NormNumGroups = fields.Int("norm_num_groups", 32, 1, MaxWidth),
            NormEps = fields.Number("norm_eps", 1e-5, 0, 1),
            ScaleShift = fields.Choice("resnet_time_scale_shift", "default", "default", "scale_shift") == "scale_shift",
            FlipSinToCos = fields.Bool("flip_sin_to_cos", true),
            FreqShift = fields.Number("freq_shift", 0, 0, 1),
            ConvInKernel = OddKernel("conv_in_kernel"),
            ConvOutKernel = OddKernel("conv_out_kernel"),
            Activation = fields.ActFn("act_fn", "silu"),
        };
        config.Validate(fields);
        return config;

        int OddKernel(string name) =>
            fields.Int(name, 3, 1, 15) is var kernel && kernel % 2 == 1 ? kernel : throw fields.Wrong(name, "an odd number");
    }

    /// <summary>Fields that diffusers knows and whose other values would change the result.</summary>
    static void RefuseUnsupported(JsonFields fields)
    {
        string[] switches =
        [
            "center_input_sample", "only_cross_attention", "dual_cross_attention", "mid_block_only_cross_attention",
            "resnet_skip_time_act", "class_embeddings_concat",
        ];
        foreach (var name in switches)
            fields.Only(name, false);
        fields.OnlyNull(
            "num_attention_heads", "class_embed_type", "num_class_embeds",
            "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim");
        fields.Choice("encoder_hid_dim_type", "text_proj", "text_proj");
        fields.Choice("addition_embed_type", null, "text");
        fields.Choice("time_embedding_type", "positional", "positional");
        foreach (var name in new[] { "mid_block_scale_factor", "resnet_out_scale_factor" })
        {
            if (fields.Number(name, 1, double.MinValue, double.MaxValue) != 1)
                throw fields.Wrong(name, "1: nothing else is supported");
        }
    }

    void Validate(JsonFields fields)
    {
        var levels = BlockOutChannels.Length;
        if (levels > 8)
            throw fields.Wrong("block_out_channels", "an array of at most 8 widths");
        if (DownAttention.Length != levels)
            throw fields.Wrong("down_block_types", $"as long as block_out_channels ({levels})");
        if (UpAttention.Length != levels)
            throw fields.Wrong("up_block_types", $"as long as block_out_channels ({levels})");
        if (BlockOutChannels[0] % 2 != 0)
            throw fields.Wrong("block_out_channels", "even in its first width, which the sines and cosines of a timestep share");
        if (BlockOutChannels.Any(width => width % NormNumGroups != 0))
            throw fields.Wrong("norm_num_groups", $"a divisor of all block_out_channels ({string.Join(", ", BlockOutChannels)})");
        if (AttentionWidths().Any(width => width % AttentionHeadDim != 0))
        {
            throw fields.Wrong(
                "attention_head_dim",
                $"one integer that divides the widths of the blocks with attention ({string.Join(", ", AttentionWidths())})");
        }

        if (EncoderHidDim % AdditionEmbedTypeNumHeads != 0)
            throw fields.Wrong("addition_embed_type_num_heads", $"a divisor of encoder_hid_dim ({EncoderHidDim})");
        if (CrossAttentionNorm == CrossAttentionNorm.GroupNorm && CrossAttentionDim % CrossNormGroups != 0)
            throw fields.Wrong("cross_attention_dim", $"a multiple of {CrossNormGroups}, the groups of cross_attention_norm");
        if (CrossAttentionNorm == CrossAttentionNorm.LayerNorm && AttentionWidths().Any(width => width != CrossAttentionDim))
        {
            throw fields.Wrong(
                "cross_attention_norm",
                $"\"group_norm\" or null: diffusers' layer_norm needs blocks as wide as cross_attention_dim ({CrossAttentionDim})");
        }

        if (Shape.Height % SideMultiple != 0 || Shape.Width % SideMultiple != 0)
            throw fields.Wrong("sample_size", $"a multiple of {SideMultiple}, because it is halved {levels - 1} times");
    }

    IEnumerable<int> AttentionWidths() =>
        BlockOutChannels.Where((_, level) => DownAttention[level] || UpAttention[BlockOutChannels.Length - 1 - level])
            .Append(BlockOutChannels[^1]).Distinct();
}
