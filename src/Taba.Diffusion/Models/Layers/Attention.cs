using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

static class Attention
{
    /// <summary>softmax(q·kᵀ/√d)·v in each head, by libtorch's fused kernels, whose softmax is float32.</summary>
    /// <param name="query">[B,T,C].</param>
    /// <param name="key">[B,S,C].</param>
    /// <param name="value">[B,S,C].</param>
    /// <param name="heads">A divisor of C.</param>
    /// <param name="mask">Added to the scores, or false where nothing is to be seen; broadcast to [B,heads,T,S].</param>
    /// <param name="fast">Whether an own kernel computes it where it can.</param>
    /// <returns>[B,T,C].</returns>
    public static Tensor Of(Tensor query, Tensor key, Tensor value, int heads, Tensor? mask = null, bool fast = false)
    {
        using var scope = NewDisposeScope();
        var shape = query.shape;
        return Of(InHeads(query), InHeads(key), InHeads(value), fast, mask).MoveToOuterDisposeScope();

        Tensor InHeads(Tensor x) => x.reshape(shape[0], -1, heads, shape[2] / heads).transpose(1, 2);
    }

    /// <summary>As the other overload, over heads that are apart already.</summary>
    /// <param name="query">[B,heads,T,d].</param>
    /// <param name="key">[B,heads,S,d].</param>
    /// <param name="value">[B,heads,S,d].</param>
    /// <param name="fast">As the other overload has it.</param>
    /// <param name="mask">As the other overload has it.</param>
    /// <returns>[B,T,heads·d].</returns>
    public static Tensor Of(Tensor query, Tensor key, Tensor value, bool fast, Tensor? mask = null)
    {
        if (fast && mask is null && AttentionKernel.Takes(query))
            return AttentionKernel.Forward(query, key, value);
        using var scope = NewDisposeScope();
        var attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask: mask);
        return attended.transpose(1, 2).flatten(2).MoveToOuterDisposeScope();
    }
}

/// <summary>One self-attention over pixels: where its parameters are, and its form.</summary>
/// <param name="Prefix">Such as <c>mid_block.attentions.0</c>.</param>
/// <param name="Channels">The width.</param>
/// <param name="Heads">A divisor of the width.</param>
/// <param name="Groups">Groups of the normalisation; null when there is none.</param>
/// <param name="Eps">Of the normalisation.</param>
sealed record SpatialAttentionPlan(string Prefix, int Channels, int Heads, int? Groups, double Eps)
{
    /// <summary>The divisor of the sum (rescale_output_factor).</summary>
    public double OutputScaleFactor { get; init; } = 1;

    public void Declare(ParameterList list)
    {
        if (Groups is not null)
            list.Norm($"{Prefix}.group_norm", Channels);
        list.Linear($"{Prefix}.to_q", Channels, Channels);
        list.Linear($"{Prefix}.to_k", Channels, Channels);
        list.Linear($"{Prefix}.to_v", Channels, Channels);
        list.Linear($"{Prefix}.to_out.0", Channels, Channels);
    }
}

/// <summary>Self-attention over the pixels with a residual (Attention of diffusers in an AttnDownBlock2D and its like).</summary>
sealed class SpatialAttention(SpatialAttentionPlan plan, ParameterSet parameters)
{
    readonly GroupNorm? _norm = plan.Groups is { } groups ? parameters.Norm($"{plan.Prefix}.group_norm", groups, plan.Eps) : null;
    readonly LinearGroup _toQkv = parameters.LinearGroup($"{plan.Prefix}.to_q", $"{plan.Prefix}.to_k", $"{plan.Prefix}.to_v");
    readonly Linear _toOut = parameters.Linear($"{plan.Prefix}.to_out.0");
    readonly Scalar? _divisor = plan.OutputScaleFactor == 1 ? null : plan.OutputScaleFactor.ToScalar();

    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var tokens = Tokens(_norm is null ? x : _norm.Forward(x));
        var qkv = _toQkv.Forward(tokens);
        var attended = Attention.Of(qkv[0], qkv[1], qkv[2], plan.Heads, fast: parameters.IsFast);

        // The sum has the memory order of its first term.
        var sum = x.add(Pixels(_toOut.Forward(attended), x.shape), Scalars.One);
        if (_divisor is not null)
            sum = sum.div_(_divisor);
        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>[B,C,H,W] to [B,H·W,C].</summary>
    public static Tensor Tokens(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.flatten(2).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>[B,H·W,C] to [B,C,H,W]: a view with the channels innermost.</summary>
    /// <param name="tokens">[B,H·W,C].</param>
    /// <param name="shape">[B,C,H,W].</param>
    public static Tensor Pixels(Tensor tokens, long[] shape)
    {
        using var scope = NewDisposeScope();
        return tokens.transpose(1, 2).reshape(shape).MoveToOuterDisposeScope();
    }
}
