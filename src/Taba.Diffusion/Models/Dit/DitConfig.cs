using System.Text.Json;

namespace Taba.Diffusion.Models.Dit;

/// <summary>The architecture of a diffusion transformer, in the words of the config.json of diffusers' DiTTransformer2DModel. Immutable.</summary>
public sealed record DitConfig
{
    const int MaxWidth = 65_536;

    /// <summary>Height and width of a state; the table of positions is made for it.</summary>
    public required int SampleSize { get; init; }

    public required int InChannels { get; init; }

    /// <summary>eps and, with a learned variance, as many again.</summary>
    public required int OutChannels { get; init; }

    public required int PatchSize { get; init; }

    public required int NumLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    public required int AttentionHeadDim { get; init; }

    public required bool AttentionBias { get; init; }

    /// <summary>Classes; one more row of the table stands for none (num_embeds_ada_norm).</summary>
    public required int NumClasses { get; init; }

    /// <summary>Of the normalisation before the feed-forward; that before the attention has 1e-6.</summary>
    public required double NormEps { get; init; }

    /// <summary>Width of the tokens.</summary>
    public int Width => NumAttentionHeads * AttentionHeadDim;

    /// <summary>Tokens of a row or column.</summary>
    public int Grid => SampleSize / PatchSize;

    /// <summary>Reads a config.json. Unknown fields are ignored; values that would change the result and are not supported are refused.</summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static DitConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("_class_name", "Transformer2DModel", "Transformer2DModel", "DiTTransformer2DModel");
        fields.Choice("norm_type", null, "ada_norm_zero");
        fields.Choice("activation_fn", null, "gelu-approximate");
        fields.Only("norm_elementwise_affine", false);
        fields.Only("only_cross_attention", false);
        fields.Only("double_self_attention", false);
        fields.OnlyNull("cross_attention_dim", "num_vector_embeds", "caption_channels");
        var inChannels = fields.Int("in_channels", 4, 1, 1024);
        var config = new DitConfig
        {
            SampleSize = fields.Int("sample_size", 32, 1, 8192),
            InChannels = inChannels,
            OutChannels = fields.OptionalInt("out_channels", 1, 1024) ?? inChannels,
            PatchSize = fields.Int("patch_size", 2, 1, 1024),
            NumLayers = fields.Int("num_layers", 28, 1, 1024),
            NumAttentionHeads = fields.Int("num_attention_heads", 16, 1, 1024),
            AttentionHeadDim = fields.Int("attention_head_dim", 72, 1, MaxWidth),
            AttentionBias = fields.Bool("attention_bias", true),
            NumClasses = fields.Int("num_embeds_ada_norm", null, 1, 1 << 24),
            NormEps = fields.Number("norm_eps", 1e-5, 0, 1),
        };
        if (config.SampleSize % config.PatchSize != 0)
            throw fields.Wrong("patch_size", $"a divisor of sample_size ({config.SampleSize})");
        if (config.Width % 4 != 0)
            throw fields.Wrong("attention_head_dim", "such that the width, heads times head dim, is a multiple of 4: sines and cosines of rows and columns");
        return config;
    }
}
