using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>
/// The vector that a prompt adds to the time embedding: its words, normalised, pooled by attention, projected and normalised again
/// (addition_embed_type "text" of diffusers).
/// </summary>
sealed class TextTimeEmbedding(ParameterSet parameters, string prefix, int heads)
{
    readonly LayerNorm _norm1 = new(parameters, $"{prefix}.norm1");
    readonly AttentionPooling _pool = new(parameters, $"{prefix}.pool", heads);
    readonly Linear _proj = parameters.Linear($"{prefix}.proj");
    readonly LayerNorm _norm2 = new(parameters, $"{prefix}.norm2");

    public static void Declare(ParameterList list, string prefix, int textWidth, int timeWidth)
    {
        list.Norm($"{prefix}.norm1", textWidth);
        AttentionPooling.Declare(list, $"{prefix}.pool", textWidth);
        list.Linear($"{prefix}.proj", textWidth, timeWidth);
        list.Norm($"{prefix}.norm2", timeWidth);
    }

    /// <param name="text">[B,L,text width]; stays as it is.</param>
    /// <returns>[B,time width].</returns>
    public Tensor Forward(Tensor text) => _norm1.Forward(text).Then(_pool.Forward).Then(_proj.Forward).Then(_norm2.Forward);
}

/// <summary>
/// Pools words by the attention of one class token to itself and to them (as CLIP pools pixels, Radford et al. 2021); the class
/// token is the words' mean plus a learned vector. There is no projection of the result.
/// </summary>
sealed class AttentionPooling(ParameterSet parameters, string prefix, int heads)
{
    readonly Tensor _positional = parameters[$"{prefix}.positional_embedding"];
    readonly Linear _kProj = parameters.Linear($"{prefix}.k_proj");
    readonly Linear _qProj = parameters.Linear($"{prefix}.q_proj");
    readonly Linear _vProj = parameters.Linear($"{prefix}.v_proj");

    public static void Declare(ParameterList list, string prefix, int width)
    {
        list.Add($"{prefix}.positional_embedding", 1, width);
        list.Linear($"{prefix}.k_proj", width, width);
        list.Linear($"{prefix}.q_proj", width, width);
        list.Linear($"{prefix}.v_proj", width, width);
    }

    /// <param name="words">[B,L,C]; stays as it is.</param>
    /// <returns>[B,C].</returns>
    public Tensor Forward(Tensor words)
    {
        using var scope = NewDisposeScope();
        var token = words.mean([1], keepdim: true).add(_positional, Scalars.One);
        var all = cat([token, words], 1);
        return Attention.Of(_qProj.Forward(token), _kProj.Forward(all), _vProj.Forward(all), heads).squeeze(1).MoveToOuterDisposeScope();
    }
}
