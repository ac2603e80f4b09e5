using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>An attention of a block: over [B,C,H,W], with the text where there is one; its argument stays as it is.</summary>
delegate Tensor BlockAttention(Tensor x, Tensor? text);

/// <summary>Changes the resolution at the end of a block; its argument stays as it is.</summary>
delegate Tensor BlockSampler(Tensor x, Tensor? emb);

/// <summary>A block of a UNet with its parameters.</summary>
/// <param name="name">Such as <c>down_blocks.1</c>.</param>
/// <param name="resnets">In the order of evaluation.</param>
/// <param name="attentions">None, or one after each residual block; in the middle there is one less.</param>
/// <param name="sampler">Null when the resolution stays.</param>
sealed class UNetBlock(string name, ResnetBlock2D[] resnets, BlockAttention[] attentions, BlockSampler? sampler)
{
    public string Name => name;

    /// <summary>On the way down: every layer's result is also a skip.</summary>
    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    /// <param name="skips">Takes the results; the last of them is the one returned.</param>
    /// <param name="emb">[B,time width], activated; null when there is no time.</param>
    /// <param name="text">[B,L,text width]; null when attentions take none.</param>
    public Tensor Down(Tensor x, Stack<Tensor> skips, Tensor? emb, Tensor? text)
    {
        var h = x;
        for (var i = 0; i < resnets.Length; i++)
        {
            h = Attended(i, resnets[i].Forward(h, emb), text);
            skips.Push(h);
        }

        if (sampler is not null)
        {
            h = sampler(h, emb);
            skips.Push(h);
        }

        return h;
    }

    /// <summary>In the middle: residual blocks with attention in between.</summary>
    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    /// <param name="emb">[B,time width], activated; null when there is no time.</param>
    /// <param name="text">[B,L,text width]; null when attentions take none.</param>
    public Tensor Middle(Tensor x, Tensor? emb, Tensor? text)
    {
        var h = Attended(0, resnets[0].Forward(x, emb), text);
        for (var i = 1; i < resnets.Length; i++)
            h = Attended(i, h.Then(y => resnets[i].Forward(y, emb)), text);
        return h;
    }

    /// <summary>On the way up: every residual block takes one skip.</summary>
    /// <param name="x">[B,C,H,W]; is freed.</param>
    /// <param name="skips">Those of the way down; the ones taken are freed.</param>
    /// <param name="emb">[B,time width], activated; null when there is no time.</param>
    /// <param name="text">[B,L,text width]; null when attentions take none.</param>
    public Tensor Up(Tensor x, Stack<Tensor> skips, Tensor? emb, Tensor? text)
    {
        var h = x;
        for (var i = 0; i < resnets.Length; i++)
        {
            using var skip = skips.Pop();
            h = h.Then(y => cat([y, skip], 1)).Then(y => resnets[i].Forward(y, emb));
            h = Attended(i, h, text);
        }

        return sampler is null ? h : h.Then(y => sampler(y, emb));
    }

    /// <summary>Without skips: the layers one after the other, as in an autoencoder.</summary>
    /// <param name="x">[B,C,H,W]; is freed.</param>
    public Tensor Plain(Tensor x)
    {
        var h = x;
        for (var i = 0; i < resnets.Length; i++)
            h = Attended(i, h.Then(y => resnets[i].Forward(y, null)), null);
        return sampler is null ? h : h.Then(y => sampler(y, null));
    }

    Tensor Attended(int i, Tensor h, Tensor? text) => i < attentions.Length ? h.Then(y => attentions[i](y, text)) : h;
}
