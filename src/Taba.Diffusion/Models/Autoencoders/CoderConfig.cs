using System.Collections.Immutable;
using Taba.Diffusion.Models.Layers;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>What the encoders and decoders of diffusers' VQModel and AutoencoderKL have in common, in the words of their config.json. Immutable.</summary>
sealed record CoderConfig
{
    const int MaxWidth = 65_536;
    const int MaxLevels = 8;

    public required int InChannels { get; init; }

    public required int OutChannels { get; init; }

    public required int LatentChannels { get; init; }

    /// <summary>Widths of the levels, shallowest first.</summary>
    public required ImmutableArray<int> BlockOutChannels { get; init; }

    /// <summary>Residual blocks of a level of the encoder; the decoder has one more.</summary>
    public required int LayersPerBlock { get; init; }

    public required int NormNumGroups { get; init; }

    /// <summary>Whether the middles have attention (mid_block_add_attention).</summary>
    public required bool MidAttention { get; init; }

    public required Activation Activation { get; init; }

    /// <summary>How many times wider and higher pictures are than latents.</summary>
    public int Factor => 1 << (BlockOutChannels.Length - 1);

    public static CoderConfig Read(JsonFields fields)
    {
        var config = new CoderConfig
        {
            InChannels = fields.Int("in_channels", 3, 1, 1024),
            OutChannels = fields.Int("out_channels", 3, 1, 1024),
            LatentChannels = fields.Int("latent_channels", 4, 1, 1024),
            BlockOutChannels = [.. fields.Ints("block_out_channels", 1, MaxWidth)],
            LayersPerBlock = fields.Int("layers_per_block", 1, 1, 64),
            NormNumGroups = fields.Int("norm_num_groups", 32, 1, MaxWidth),
            MidAttention = fields.Bool("mid_block_add_attention", true),
            Activation = fields.ActFn("act_fn", "silu"),
        };
        var levels = config.BlockOutChannels.Length;
        if (levels > MaxLevels)
            throw fields.Wrong("block_out_channels", $"an array of at most {MaxLevels} widths");
        if (fields.Names("down_block_types", "DownEncoderBlock2D").Length != levels)
            throw fields.Wrong("down_block_types", $"as long as block_out_channels ({levels})");
        if (fields.Names("up_block_types", "UpDecoderBlock2D").Length != levels)
            throw fields.Wrong("up_block_types", $"as long as block_out_channels ({levels})");
        if (config.BlockOutChannels.Any(width => width % config.NormNumGroups != 0))
            throw fields.Wrong("norm_num_groups", $"a divisor of all block_out_channels ({string.Join(", ", config.BlockOutChannels)})");
        return config;
    }
}
