using System.Collections.Immutable;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>
/// The common part of diffusers' VQModel and AutoencoderKL: the widths of an encoder and a decoder of convolutions. Immutable.
/// </summary>
public abstract record AutoencoderConfig
{
    const int MaxWidth = 65_536;

    private protected AutoencoderConfig(JsonFields fields, int latentChannels)
    {
        Channels = fields.Int("in_channels", 3, 1, 1024);
        if (fields.Int("out_channels", 3, 1, 1024) != Channels)
            throw fields.Wrong("out_channels", $"as many as in_channels ({Channels})");
        LatentChannels = fields.Int("latent_channels", latentChannels, 1, 1024);
        BlockOutChannels = [.. fields.Ints("block_out_channels", 1, MaxWidth)];
        LayersPerBlock = fields.Int("layers_per_block", 1, 1, 64);
        NormNumGroups = fields.Int("norm_num_groups", 32, 1, MaxWidth);
        MidBlockAddAttention = fields.Bool("mid_block_add_attention", true);
        Activation = fields.ActFn("act_fn", "silu");
        var levels = BlockOutChannels.Length;
        if (levels > 8)
            throw fields.Wrong("block_out_channels", "an array of at most 8 widths");
        if (fields.Names("down_block_types", "DownEncoderBlock2D").Length != levels)
            throw fields.Wrong("down_block_types", $"as long as block_out_channels ({levels})");
        if (fields.Names("up_block_types", "UpDecoderBlock2D").Length != levels)
            throw fields.Wrong("up_block_types", $"as long as block_out_channels ({levels})");
        if (BlockOutChannels.Any(width => width % NormNumGroups != 0))
            throw fields.Wrong("norm_num_groups", $"a divisor of all block_out_channels ({string.Join(", ", BlockOutChannels)})");
    }

    /// <summary>Channels of a picture.</summary>
    public int Channels { get; }

    /// <summary>Channels of what encoder and decoder hand over.</summary>
    public int LatentChannels { get; }

    /// <summary>Widths of the levels, shallowest first.</summary>
    public ImmutableArray<int> BlockOutChannels { get; }

    /// <summary>Residual blocks of a level of the encoder; the decoder has one more.</summary>
    public int LayersPerBlock { get; }

    public int NormNumGroups { get; }

    /// <summary>True when the deepest level has attention.</summary>
    public bool MidBlockAddAttention { get; }

    /// <summary>Channels of a state.</summary>
    public virtual int StateChannels => LatentChannels;

    /// <summary>Pixels of a picture for one of a state, along each side: each level but the last halves them.</summary>
    public int Factor => 1 << (BlockOutChannels.Length - 1);

    internal Activation Activation { get; }

    /// <summary>Every parameter's name and shape, in the order of the state dict.</summary>
    public abstract IReadOnlyList<KeyValuePair<string, long[]>> Parameters();

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <param name="weights">The checkpoint; must hold exactly the architecture's parameters.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16; means and variances are float32 in all of them.</param>
    /// <param name="form">How it is computed.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public abstract IAutoencoder Load(IWeightSource weights, Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast);

    internal void RequireLatents(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        var shape = latents.shape;
        if (shape.Length != 4 || shape[1] != StateChannels)
            throw new ArgumentException(
                $"The autoencoder decodes [B,{StateChannels},H,W], not [{string.Join(",", shape)}].", nameof(latents));
    }

    internal void RequireImages(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        var shape = images.shape;
        if (shape.Length != 4 || shape[1] != Channels || shape[2] % Factor != 0 || shape[3] % Factor != 0)
        {
            throw new ArgumentException(
                $"The autoencoder encodes [B,{Channels},H,W] with sides divisible by {Factor}, not [{string.Join(",", shape)}].",
                nameof(images));
        }
    }
}
