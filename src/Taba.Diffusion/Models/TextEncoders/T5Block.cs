using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>Self-attention and feed-forward of one T5 layer, each normalised before and added to the residual stream.</summary>
sealed class T5Block(int heads)
{
    /// <summary>
    /// The margin below float16's largest number within which transformers holds values once one has overflowed, negative.
    /// </summary>
    static readonly Scalar s_minusMargin = (-1000.0).ToScalar();

    static readonly Scalar s_halfMax = 65504.0.ToScalar();

    public required T5LayerNorm AttentionNorm { get; init; }

    /// <summary>[heads·d_kv,d_model], as are K and V.</summary>
    public required Tensor Q { get; init; }

    public required Tensor K { get; init; }

    public required Tensor V { get; init; }

    /// <summary>[d_model,heads·d_kv].</summary>
    public required Tensor O { get; init; }

    public required T5LayerNorm FeedForwardNorm { get; init; }

    /// <summary>wi_0 and wi_1 of a gated feed-forward, else wi alone; [d_ff,d_model].</summary>
    public required Tensor[] Wi { get; init; }

    /// <summary>[d_model,d_ff]; float32 in a half precision network too, whose residual stream it makes float32 from there on.</summary>
    public required Tensor Wo { get; init; }

    /// <param name="x">[B,L,d_model].</param>
    /// <param name="bias">[1 or B,heads,L,L]: relative position and mask, in the network's type.</param>
    /// <returns>[B,L,d_model], in the wider type of <paramref name="x"/> and wo.</returns>
    public Tensor Forward(Tensor x, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var h = Held(x.add(Attend(AttentionNorm.Forward(x), bias), Scalars.One));
        return Held(h.add(FeedForward(FeedForwardNorm.Forward(h)), Scalars.One)).MoveToOuterDisposeScope();
    }

    /// <summary>softmax(q·k + bias)·v: T5 does not scale the product, its initialisation does.</summary>
    Tensor Attend(Tensor x, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (x.size(0), x.size(1));
        var scores = Heads(Q).matmul(Heads(K).transpose(2, 3)).add(bias, Scalars.One);
        var weights = softmax(scores.AtLeastSingle(), -1).to(scores.dtype);
        var attended = weights.matmul(Heads(V)).transpose(1, 2).reshape(batch, length, -1);
        return linear(attended, O).MoveToOuterDisposeScope();

        Tensor Heads(Tensor weight) => linear(x, weight).view(batch, length, heads, -1).transpose(1, 2);
    }

    Tensor FeedForward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var inner = linear(x, Wi[0]);
        inner = Wi.Length == 2 ? gelu(inner, TorchSharp.Modules.GELU.Approximate.tanh, false).mul(linear(x, Wi[1])) : relu(inner);
        return linear(inner.to(Wo.dtype), Wo).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A float16 residual stream is held within that type's range as transformers does. Which bound holds is decided for every row
    /// by itself: there one overflow anywhere in the batch lowers the bound for all rows.
    /// </summary>
    static Tensor Held(Tensor h)
    {
        if (h.dtype != ScalarType.Float16)
            return h;
        using var scope = NewDisposeScope();
        var overflowed = h.isinf().flatten(1).any(1, true).unsqueeze(-1);
        var bound = overflowed.to(ScalarType.Float16).mul(s_minusMargin).add(s_halfMax, Scalars.One);
        return h.clamp(bound.neg(), bound).MoveToOuterDisposeScope();
    }
}
