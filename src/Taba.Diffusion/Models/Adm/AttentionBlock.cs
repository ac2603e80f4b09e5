using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>
/// Self-attention over the pixels with a residual. Queries and keys are each scaled by d^(-1/4), which is kinder to
/// float16 than scaling their product; the softmax is in float32.
/// </summary>
sealed class AttentionBlock(LayerOptions options, int heads, bool newOrder) : ILayer
{
    public required GroupNorm Norm { get; init; }

    /// <summary>[3C,C,1].</summary>
    public required Convolution Qkv { get; init; }

    /// <summary>[C,C,1].</summary>
    public required Convolution ProjOut { get; init; }

    public Tensor Forward(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var shape = x.shape;
        var (batch, channels, length) = (shape[0], shape[1], shape[2] * shape[3]);
        var d = channels / heads;
        if (options.Fast)
            return Attended(x, batch, length, d).MoveToOuterDisposeScope();
        var qkv = Norm.Forward(x).Then(Qkv.Forward).reshape(batch, 3 * channels, length);

        // The older order has each head's q, k and v side by side; the newer has all q, then all k, then all v.
        var (q, k, v) = newOrder ? Split(qkv, batch * heads, d, length) : SplitInHead(qkv, batch * heads, d, length);
        using var scale = (1 / Math.Sqrt(Math.Sqrt(d))).ToScalar();
        var weights = q.mul(scale).transpose(1, 2).bmm(k.mul(scale))
            .Then(w => w.to(ScalarType.Float32)).Then(w => nn.functional.softmax(w, -1)).Then(w => w.to(v.dtype));
        var h = v.bmm(weights.transpose(1, 2)).Then(a => a.reshape(shape)).Then(MemoryLayout.Suited);
        return ProjOut.Forward(h, plus: x).MoveToOuterDisposeScope();
    }

    /// <summary>By libtorch's fused attention, over pixels as they lie in memory.</summary>
    Tensor Attended(Tensor x, long batch, long length, long d)
    {
        var qkv = Norm.Forward(x).Then(Qkv.Forward).permute(0, 2, 3, 1);
        var parts = newOrder
            ? qkv.reshape(batch, length, 3, heads, d).permute(2, 0, 3, 1, 4)
            : qkv.reshape(batch, length, heads, 3, d).permute(3, 0, 2, 1, 4);
        var attended = Layers.Attention.Of(parts.select(0, 0), parts.select(0, 1), parts.select(0, 2), options.Fast);
        var pixels = attended.reshape(batch, x.size(2), x.size(3), heads * d).permute(0, 3, 1, 2);
        return ProjOut.Forward(pixels, plus: x);
    }

    static (Tensor Q, Tensor K, Tensor V) Split(Tensor qkv, long rows, long d, long length)
    {
        var parts = qkv.chunk(3, 1);
        return (parts[0].reshape(rows, d, length), parts[1].reshape(rows, d, length), parts[2].reshape(rows, d, length));
    }

    static (Tensor Q, Tensor K, Tensor V) SplitInHead(Tensor qkv, long rows, long d, long length)
    {
        var parts = qkv.reshape(rows, 3 * d, length).chunk(3, 1);
        return (parts[0], parts[1], parts[2]);
    }
}
