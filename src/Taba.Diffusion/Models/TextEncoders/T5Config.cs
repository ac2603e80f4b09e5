using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// The architecture of a T5 encoder (Raffel et al. 2020; version 1.1 has the gated feed-forward), in the words of transformers'
/// config.json. Immutable.
/// </summary>
public sealed record T5Config
{
    const string Relu = "relu";
    const string GatedGelu = "gated-gelu";

    public required int VocabSize { get; init; }

    /// <summary>Width of the residual stream and of the result.</summary>
    public required int DModel { get; init; }

    /// <summary>Width of one attention head.</summary>
    public required int DKv { get; init; }

    /// <summary>Inner width of the feed-forward.</summary>
    public required int DFf { get; init; }

    public required int NumLayers { get; init; }

    public required int NumHeads { get; init; }

    /// <summary>Buckets of the relative position, half of them for each direction.</summary>
    public required int RelativeAttentionNumBuckets { get; init; }

    /// <summary>The distance from which on all positions share the last bucket.</summary>
    public required int RelativeAttentionMaxDistance { get; init; }

    public required double LayerNormEpsilon { get; init; }

    /// <summary>feed_forward_proj: true for gated-gelu (GELU by tanh times a linear gate), false for relu.</summary>
    public required bool IsGated { get; init; }

    /// <summary>Reads a config.json; fields that are not asked for have no bearing on an encoder and are ignored.</summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">A field is of the wrong type, out of range, or asks for what is not supported.</exception>
    public static T5Config Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("model_type", "t5", "t5");
        var gated = fields.Choice("feed_forward_proj", Relu, Relu, GatedGelu) == GatedGelu;

        // transformers derives these two from the former, unless the file contradicts it.
        fields.Only("is_gated_act", gated);
        fields.Choice("dense_act_fn", gated ? "gelu_new" : Relu, gated ? "gelu_new" : Relu);
        var buckets = fields.Int("relative_attention_num_buckets", 32, 4, 65_536);
        return new T5Config
        {
            VocabSize = fields.Int("vocab_size", 32_128, 1, 1 << 22),
            DModel = fields.Int("d_model", 512, 1, 65_536),
            DKv = fields.Int("d_kv", 64, 1, 65_536),
            DFf = fields.Int("d_ff", 2048, 1, 1 << 20),
            NumLayers = fields.Int("num_layers", 6, 1, 256),
            NumHeads = fields.Int("num_heads", 8, 1, 1024),
            RelativeAttentionNumBuckets = buckets % 4 == 0
                ? buckets
                : throw fields.Wrong("relative_attention_num_buckets", "a multiple of 4"),
            RelativeAttentionMaxDistance = fields.Int("relative_attention_max_distance", 128, buckets / 4 + 1, 1 << 20),
            LayerNormEpsilon = fields.Number("layer_norm_epsilon", 1e-6, 0, 1),
            IsGated = gated,
        };
    }
}
