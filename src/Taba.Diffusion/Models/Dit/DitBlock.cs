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
    readonly Linear _toQ = parameters.Linear($"{prefix}.attn1.to_q");
    readonly Linear _toK = parameters.Linear($"{prefix}.attn1.to_k");
    readonly Linear _toV = parameters.Linear($"{prefix}.attn1.to_v");
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
        x.add_(Modulated(x, FirstEps, parts[0], parts[1]).Then(Attend).mul_(parts[2]), Scalars.One);
        x.add_(FeedForward(Modulated(x, config.NormEps, parts[3], parts[4])).mul_(parts[5]), Scalars.One);
    }

    /// <summary>x normalised over its channels, times 1 + scale, plus shift.</summary>
    /// <param name="x">[B,tokens,width]; stays as it is.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="shift">[B,1,width].</param>
    /// <param name="scale">[B,1,width].</param>
    public static Tensor Modulated(Tensor x, double eps, Tensor shift, Tensor scale)
    {
        using var scope = NewDisposeScope();
        return nn.functional.layer_norm(x, [x.size(-1)], eps: eps).mul_(scale.add(Scalars.One, Scalars.One)).add_(
            shift, Scalars.One).MoveToOuterDisposeScope();
    }

    Tensor FeedForward(Tensor x) => x.Then(_wide.Forward).Then(Activation.GeluTanh).Then(_narrow.Forward);

    Tensor Attend(Tensor x)
    {
        using var scope = NewDisposeScope();
        var attended = Attention.Of(_toQ.Forward(x), _toK.Forward(x), _toV.Forward(x), config.NumAttentionHeads);
        return _toOut.Forward(attended).MoveToOuterDisposeScope();
    }
}
