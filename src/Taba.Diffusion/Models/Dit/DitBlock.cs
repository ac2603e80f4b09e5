using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>One block of the transformer with adaptive normalisation (adaLN-Zero: Peebles and Xie 2023, section 3.2).</summary>
sealed class DitBlock
{
    /// <summary>Width of a timestep's sinusoids.</summary>
    public const int SinusoidWidth = 256;

    const double AttentionNormEps = 1e-6;

    readonly DitConfig config;
    readonly TimestepMlp time;
    readonly Tensor classes;
    readonly Linear modulation;
    readonly Linear toQ;
    readonly Linear toK;
    readonly Linear toV;
    readonly Linear toOut;
    readonly Linear feedIn;
    readonly Linear feedOut;

    public DitBlock(DitConfig config, ParameterSet parameters, int index)
    {
        var prefix = $"transformer_blocks.{index}";
        Name = prefix;
        this.config = config;
        time = new TimestepMlp(parameters, $"{prefix}.norm1.emb.timestep_embedder");
        classes = parameters[$"{prefix}.norm1.emb.class_embedder.embedding_table.weight"];
        modulation = parameters.Linear($"{prefix}.norm1.linear");
        toQ = parameters.Linear($"{prefix}.attn1.to_q");
        toK = parameters.Linear($"{prefix}.attn1.to_k");
        toV = parameters.Linear($"{prefix}.attn1.to_v");
        toOut = parameters.Linear($"{prefix}.attn1.to_out.0");
        feedIn = parameters.Linear($"{prefix}.ff.net.0.proj");
        feedOut = parameters.Linear($"{prefix}.ff.net.2");
    }

    /// <summary>Such as <c>transformer_blocks.0</c>.</summary>
    public string Name { get; }

    public static void Declare(ParameterList list, DitConfig config, int index)
    {
        var (prefix, width) = ($"transformer_blocks.{index}", config.Width);
        TimestepMlp.Declare(list, $"{prefix}.norm1.emb.timestep_embedder", SinusoidWidth, width);
        list.Add($"{prefix}.norm1.emb.class_embedder.embedding_table.weight", config.NumClasses + 1, width);
        list.Linear($"{prefix}.norm1.linear", width, 6 * width);
        foreach (var name in new[] { "to_q", "to_k", "to_v" })
            list.Linear($"{prefix}.attn1.{name}", width, width, config.AttentionBias);
        list.Linear($"{prefix}.attn1.to_out.0", width, width);
        list.Linear($"{prefix}.ff.net.0.proj", width, 4 * width);
        list.Linear($"{prefix}.ff.net.2", 4 * width, width);
    }

    /// <summary>Timestep plus class: every block has embedders of its own.</summary>
    /// <param name="sinusoids">[B,256], of the parameters' type.</param>
    /// <param name="labels">[B], int64.</param>
    /// <returns>[B,width].</returns>
    public Tensor Condition(Tensor sinusoids, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return time.Forward(sinusoids).add_(classes.index_select(0, labels)).MoveToOuterDisposeScope();
    }

    /// <param name="x">[B,tokens,width]; stays as it is.</param>
    /// <param name="condition">Of <see cref="Condition"/>.</param>
    public Tensor Forward(Tensor x, Tensor condition)
    {
        using var scope = NewDisposeScope();
        var m = modulation.Forward(nn.functional.silu(condition)).unsqueeze(1).chunk(6, 2);
        var (shiftAttention, scaleAttention, gateAttention, shiftFeed, scaleFeed, gateFeed) = (m[0], m[1], m[2], m[3], m[4], m[5]);

        var tokens = Modulate(x, scaleAttention, shiftAttention, AttentionNormEps);
        var attended = Attention.Of(toQ.Forward(tokens), toK.Forward(tokens), toV.Forward(tokens), config.NumAttentionHeads);
        var h = x.add(toOut.Forward(attended).mul_(gateAttention));

        tokens = Modulate(h, scaleFeed, shiftFeed, config.NormEps);
        var fed = feedOut.Forward(Activation.GeluTanh.Of(feedIn.Forward(tokens)));
        return h.add_(fed.mul_(gateFeed)).MoveToOuterDisposeScope();
    }

    /// <summary>LN(x)·(1 + scale) + shift, without parameters of the normalisation's own.</summary>
    internal static Tensor Modulate(Tensor x, Tensor scale, Tensor shift, double eps)
    {
        using var scope = NewDisposeScope();
        return nn.functional.layer_norm(x, [x.size(-1)], eps: eps).mul_(scale.add(1)).add_(shift).MoveToOuterDisposeScope();
    }
}
