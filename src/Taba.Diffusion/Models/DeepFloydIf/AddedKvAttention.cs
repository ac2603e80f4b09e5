using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>One attention over pixels and text: where its parameters are, and its widths.</summary>
/// <param name="Prefix">Such as <c>down_blocks.1.attentions.0</c>.</param>
/// <param name="Channels">Width of the pixels.</param>
/// <param name="HeadDim">Channels of a head.</param>
/// <param name="TextWidth">Width of the text (cross_attention_dim).</param>
/// <param name="Groups">Groups of the pixels' normalisation, whose eps is 1e-5 whatever norm_eps is.</param>
/// <param name="CrossNorm">What normalises the text.</param>
sealed record AddedKvAttentionPlan(string Prefix, int Channels, int HeadDim, int TextWidth, int Groups, CrossAttentionNorm CrossNorm)
{
    public void Declare(ParameterList list)
    {
        list.Norm($"{Prefix}.group_norm", Channels);
        if (CrossNorm != CrossAttentionNorm.None)
            list.Norm($"{Prefix}.norm_cross", TextWidth);
        foreach (var projection in new[] { "to_q", "to_k", "to_v" })
            list.Linear($"{Prefix}.{projection}", Channels, Channels);
        list.Linear($"{Prefix}.add_k_proj", TextWidth, Channels);
        list.Linear($"{Prefix}.add_v_proj", TextWidth, Channels);
        list.Linear($"{Prefix}.to_out.0", Channels, Channels);
    }
}

/// <summary>
/// Attention of the pixels to the text and to themselves, in one softmax over the keys [text, pixels], with a residual (the
/// "added KV" attention of diffusers). The text is not masked: IF attends to its padding too.
/// </summary>
sealed class AddedKvAttention(AddedKvAttentionPlan plan, ParameterSet parameters)
{
    const double Eps = 1e-5;

    readonly GroupNorm _groupNorm = parameters.Norm($"{plan.Prefix}.group_norm", plan.Groups, Eps);
    readonly GroupNorm? _crossGroupNorm = plan.CrossNorm == CrossAttentionNorm.GroupNorm
        ? parameters.Norm($"{plan.Prefix}.norm_cross", UNet2DConditionConfig.CrossNormGroups, Eps)
        : null;

    readonly LayerNorm? _crossLayerNorm = plan.CrossNorm == CrossAttentionNorm.LayerNorm
        ? new LayerNorm(parameters, $"{plan.Prefix}.norm_cross")
        : null;

    readonly Linear _toQ = parameters.Linear($"{plan.Prefix}.to_q");
    readonly Linear _toK = parameters.Linear($"{plan.Prefix}.to_k");
    readonly Linear _toV = parameters.Linear($"{plan.Prefix}.to_v");
    readonly Linear _addK = parameters.Linear($"{plan.Prefix}.add_k_proj");
    readonly Linear _addV = parameters.Linear($"{plan.Prefix}.add_v_proj");
    readonly Linear _toOut = parameters.Linear($"{plan.Prefix}.to_out.0");

    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    /// <param name="text">[B,L,TextWidth].</param>
    /// <returns>[B,C,H,W].</returns>
    public Tensor Forward(Tensor x, Tensor text)
    {
        using var scope = NewDisposeScope();
        var pixels = _groupNorm.Forward(x).Then(SpatialAttention.Tokens);
        var words = Normalized(text);
        var key = cat([_addK.Forward(words), _toK.Forward(pixels)], 1);
        var value = cat([_addV.Forward(words), _toV.Forward(pixels)], 1);
        var attended = Attention.Of(_toQ.Forward(pixels), key, value, plan.Channels / plan.HeadDim);

        // The sum has the memory order of its first term.
        return x.add(SpatialAttention.Pixels(_toOut.Forward(attended), x.shape), Scalars.One).MoveToOuterDisposeScope();
    }

    /// <summary>Group normalisation takes its statistics over a group's channels and all words.</summary>
    Tensor Normalized(Tensor text)
    {
        if (_crossLayerNorm is not null)
            return _crossLayerNorm.Forward(text);
        if (_crossGroupNorm is null)
            return text;
        using var scope = NewDisposeScope();
        return _crossGroupNorm.Forward(text.transpose(1, 2).contiguous()).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }
}
