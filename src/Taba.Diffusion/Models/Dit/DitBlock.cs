using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>
/// One block of a diffusion transformer: self-attention and feed-forward layers, each normalised, then shifted and scaled, and
/// gated by what timestep and class make of themselves (adaLN-Zero, Peebles and Xie 2023).
/// </summary>
sealed class DitBlock(DitConfig config, ParameterSet parameters, string prefix)
{
    const double FirstEps = 1e-6;

    readonly Linear _modulation = parameters.Linear($"{prefix}.norm1.linear");
    readonly LinearGroup _toQkv = parameters.LinearGroup($"{prefix}.attn1.to_q", $"{prefix}.attn1.to_k", $"{prefix}.attn1.to_v");
    readonly Linear _toOut = parameters.Linear($"{prefix}.attn1.to_out.0");
    readonly Linear _wide = parameters.Linear($"{prefix}.ff.net.0.proj");
    readonly Linear _narrow = parameters.Linear($"{prefix}.ff.net.2");

    public string Name => prefix;

    /// <summary>Every block has embedders of its own, which a trained checkpoint holds as equal copies.</summary>
    public ClassTimeEmbedding Embedding { get; } = new(parameters, $"{prefix}.norm1.emb");

    public static void Declare(ParameterList list, DitConfig config, string prefix)
    {
        var width = config.Width;
        ClassTimeEmbedding.Declare(list, $"{prefix}.norm1.emb", config.NumClasses, width);
        list.Linear($"{prefix}.norm1.linear", width, 6 * width);
        foreach (var projection in new[] { "to_q", "to_k", "to_v" })
            list.Linear($"{prefix}.attn1.{projection}", width, width, config.AttentionBias);
        list.Linear($"{prefix}.attn1.to_out.0", width, width);
        list.Linear($"{prefix}.ff.net.0.proj", width, 4 * width);
        list.Linear($"{prefix}.ff.net.2", 4 * width, width);
    }

    /// <param name="x">[B,tokens,width]; is overwritten with the result.</param>
    /// <param name="emb">[B,width]: <see cref="Embedding"/>'s, activated.</param>
    public void Apply(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var parts = _modulation.Forward(emb).unsqueeze(1).chunk(6, -1);
        Add(x, Modulated(x, FirstEps, parts[0], parts[1], parameters.IsFast).Then(Attend), parts[2]);
        Add(x, FeedForward(Modulated(x, config.NormEps, parts[3], parts[4], parameters.IsFast)), parts[5]);
    }

    /// <summary>x normalised over its channels, times 1 + scale, plus shift.</summary>
    /// <param name="x">[B,tokens,width]; stays as it is.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="shift">[B,1,width].</param>
    /// <param name="scale">[B,1,width].</param>
    /// <param name="fast">Whether an own kernel computes it.</param>
    public static Tensor Modulated(Tensor x, double eps, Tensor shift, Tensor scale, bool fast)
    {
        if (fast && LayerNormKernel.Takes(x))
            return LayerNormKernel.Forward(x, eps, shift, scale);
        using var scope = NewDisposeScope();
        return nn.functional.layer_norm(x, [x.size(-1)], eps: eps).mul_(scale.add(Scalars.One, Scalars.One)).add_(
            shift, Scalars.One).MoveToOuterDisposeScope();
    }

    /// <summary>x + gate·branch, in place; the plain form rounds the product first.</summary>
    void Add(Tensor x, Tensor branch, Tensor gate)
    {
        if (parameters.IsFast)
            x.addcmul_(branch, gate, Scalars.One);
        else
            x.add_(branch.mul_(gate), Scalars.One);
        branch.Dispose();
    }

    Tensor FeedForward(Tensor x) => x.Then(y => _wide.Forward(y, Activation.GeluTanh)).Then(_narrow.Forward);

    Tensor Attend(Tensor x)
    {
        using var scope = NewDisposeScope();
        var qkv = _toQkv.Forward(x);
        var attended = Attention.Of(qkv[0], qkv[1], qkv[2], config.NumAttentionHeads, fast: parameters.IsFast);
        return _toOut.Forward(attended).MoveToOuterDisposeScope();
    }
}
