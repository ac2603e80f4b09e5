using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>How a family calls the layers of a block, below the block's prefix.</summary>
/// <param name="FirstNorm">Before the attention.</param>
/// <param name="Query">Of the attention; key, value and the projection behind follow.</param>
/// <param name="Key">Of the attention.</param>
/// <param name="Value">Of the attention.</param>
/// <param name="Out">Of the attention.</param>
/// <param name="SecondNorm">Before the wide layer.</param>
/// <param name="Wide">The wide layer.</param>
/// <param name="Narrow">The one behind.</param>
sealed record BlockNames(
    string FirstNorm, string Query, string Key, string Value, string Out, string SecondNorm, string Wide, string Narrow)
{
    /// <summary>transformers' ViTModel.</summary>
    public static readonly BlockNames Vit = new(
        "layernorm_before",
        "attention.attention.query",
        "attention.attention.key",
        "attention.attention.value",
        "attention.output.dense",
        "layernorm_after",
        "intermediate.dense",
        "output.dense");

    /// <summary>transformers' CLIPModel.</summary>
    public static readonly BlockNames Clip = new(
        "layer_norm1",
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.out_proj",
        "layer_norm2",
        "mlp.fc1",
        "mlp.fc2");

    /// <summary>timm's and DINO's VisionTransformer, its <c>attn.qkv</c> taken apart by <see cref="AdaptedAttention"/>.</summary>
    public static readonly BlockNames Timm = new(
        "norm1",
        AdaptedAttention.Query,
        AdaptedAttention.Key,
        AdaptedAttention.Value,
        "attn.proj",
        "norm2",
        "mlp.fc1",
        "mlp.fc2");
}

/// <summary>The sizes of a stack of blocks.</summary>
/// <param name="Width">Of a token.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">A divisor of the width.</param>
/// <param name="Inner">Of the wide layer.</param>
/// <param name="Eps">Of the normalisations.</param>
/// <param name="QuickGelu">Whether x·σ(1.702·x) stands for GELU (OpenAI's CLIP).</param>
public sealed record TransformerSizes(int Width, int Layers, int Heads, int Inner, double Eps, bool QuickGelu);

/// <summary>A block of a transformer that normalises before attention and before its feed-forward layers (ViT, CLIP).</summary>
sealed class PreNormBlock(TransformerSizes sizes, BlockNames names, ParameterSet parameters, string prefix)
{
    static readonly Scalar s_quick = 1.702.ToScalar();

    readonly FeatureNorm _first = new(parameters, $"{prefix}.{names.FirstNorm}", sizes.Eps);
    readonly Linear _query = parameters.Linear($"{prefix}.{names.Query}");
    readonly Linear _key = parameters.Linear($"{prefix}.{names.Key}");
    readonly Linear _value = parameters.Linear($"{prefix}.{names.Value}");
    readonly Linear _out = parameters.Linear($"{prefix}.{names.Out}");
    readonly FeatureNorm _second = new(parameters, $"{prefix}.{names.SecondNorm}", sizes.Eps);
    readonly Linear _wide = parameters.Linear($"{prefix}.{names.Wide}");
    readonly Linear _narrow = parameters.Linear($"{prefix}.{names.Narrow}");

    public static void Declare(ParameterList list, TransformerSizes sizes, BlockNames names, string prefix)
    {
        list.Norm($"{prefix}.{names.FirstNorm}", sizes.Width);
        foreach (var projection in new[] { names.Query, names.Key, names.Value, names.Out })
            list.Linear($"{prefix}.{projection}", sizes.Width, sizes.Width);
        list.Norm($"{prefix}.{names.SecondNorm}", sizes.Width);
        list.Linear($"{prefix}.{names.Wide}", sizes.Width, sizes.Inner);
        list.Linear($"{prefix}.{names.Narrow}", sizes.Inner, sizes.Width);
    }

    /// <param name="x">[B,tokens,width]; is overwritten with the result.</param>
    /// <param name="mask">Added to the scores, [tokens,tokens]; or null.</param>
    public void Apply(Tensor x, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        var normal = _first.Forward(x);
        var attended = Attention.Of(_query.Forward(normal), _key.Forward(normal), _value.Forward(normal), sizes.Heads, mask);
        x.add_(_out.Forward(attended), Scalars.One);
        var wide = _wide.Forward(_second.Forward(x));
        x.add_(_narrow.Forward(sizes.QuickGelu ? wide.mul(wide.mul(s_quick).sigmoid()) : nn.functional.gelu(wide)), Scalars.One);
    }
}

/// <summary>Normalisation over the last axis.</summary>
sealed class FeatureNorm(ParameterSet parameters, string prefix, double eps)
{
    readonly Tensor _weight = parameters[$"{prefix}.weight"];
    readonly Tensor _bias = parameters[$"{prefix}.bias"];

    public Tensor Forward(Tensor x) => nn.functional.layer_norm(x, [_weight.size(0)], _weight, _bias, eps);
}
