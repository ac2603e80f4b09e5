using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Models.Dit;

/// <summary>
/// The architecture of a class-conditional diffusion transformer, in the words of the config.json of diffusers'
/// DiTTransformer2DModel, which was a form of Transformer2DModel before. Immutable.
/// </summary>
public sealed record DitConfig
{
    const string DitClass = "DiTTransformer2DModel", OldClass = "Transformer2DModel";

    const int MaxWidth = 65_536;

    /// <summary>Height and width of a state.</summary>
    public required int SampleSize { get; init; }

    public required int InChannels { get; init; }

    /// <summary>Channels of the output: eps and, with a learned variance, as many again.</summary>
    public required int OutChannels { get; init; }

    /// <summary>Classes, without the null class (num_embeds_ada_norm).</summary>
    public required int NumClasses { get; init; }

    /// <summary>Sides of the square of a state that is one token.</summary>
    public required int PatchSize { get; init; }

    public required int NumLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    /// <summary>Channels of one attention head.</summary>
    public required int AttentionHeadDim { get; init; }

    /// <summary>True when queries, keys and values have a bias.</summary>
    public required bool AttentionBias { get; init; }

    /// <summary>Of the normalisation before a block's feed-forward layers; the others have 1e-6 whatever it is.</summary>
    public required double NormEps { get; init; }

    /// <summary>Channels of a token.</summary>
    public int Width => NumAttentionHeads * AttentionHeadDim;

    /// <summary>Tokens along one side of a state.</summary>
    public int Side => SampleSize / PatchSize;

    /// <summary>
    /// Reads a config.json. Fields that change nothing in this form, and unknown ones, are ignored; values that would change the
    /// result and are not supported are refused. An absent field is what it is for the config's class in diffusers.
    /// </summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static DitConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        var dit = fields.Choice("_class_name", DitClass, DitClass, OldClass) == DitClass;
        RefuseUnsupported(fields, dit);
        var inChannels = fields.Int("in_channels", Default(4), 1, 1024);
        var config = new DitConfig
        {
            SampleSize = fields.Int("sample_size", Default(32), 1, 8192),
            InChannels = inChannels,
            OutChannels = fields.Int("out_channels", inChannels, 1, 1024),
            NumClasses = fields.Int("num_embeds_ada_norm", Default(1000), 1, 10_000_000),
            PatchSize = fields.Int("patch_size", Default(2), 1, 1024),
            NumLayers = fields.Int("num_layers", dit ? 28 : 1, 1, 1024),
            NumAttentionHeads = fields.Int("num_attention_heads", 16, 1, 1024),
            AttentionHeadDim = fields.Int("attention_head_dim", dit ? 72 : 88, 1, 1024),
            AttentionBias = fields.Bool("attention_bias", dit),
            NormEps = fields.Number("norm_eps", 1e-5, 0, 1),
        };
        config.Validate(fields);
        return config;

        int? Default(int ofDit) => dit ? ofDit : null;
    }

    /// <summary>Fields that diffusers knows and whose other values would change the result.</summary>
    static void RefuseUnsupported(JsonFields fields, bool dit)
    {
        fields.Choice("norm_type", dit ? "ada_norm_zero" : "layer_norm", "ada_norm_zero");
        fields.Choice("activation_fn", dit ? "gelu-approximate" : "geglu", "gelu-approximate");
        if (fields.Bool("norm_elementwise_affine", !dit))
            throw fields.Wrong("norm_elementwise_affine", "false: nothing else is supported");
        fields.OnlyNull("cross_attention_dim", "num_vector_embeds", "caption_channels");
        fields.Only("only_cross_attention", false);
        fields.Only("double_self_attention", false);
        if (fields.Number("interpolation_scale", 1, double.MinValue, double.MaxValue) != 1)
            throw fields.Wrong("interpolation_scale", "1: nothing else is supported");
    }

    void Validate(JsonFields fields)
    {
        if (SampleSize % PatchSize != 0)
            throw fields.Wrong("sample_size", $"a multiple of patch_size ({PatchSize})");
        if (Width % 4 != 0)
            throw fields.Wrong(
                "attention_head_dim",
                $"a multiple of 4 with num_attention_heads ({NumAttentionHeads}): sines and cosines of both axes share a token's channels");
        if (Width > MaxWidth)
            throw fields.Wrong("attention_head_dim", $"at most {MaxWidth} with num_attention_heads ({NumAttentionHeads})");
    }
}
