using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>A planned block with its parameters.</summary>
sealed class UNetBlock(UNetBlockPlan plan, ParameterSet parameters)
{
    readonly ResnetBlock2D[] resnets = [.. plan.Resnets.Select(resnet => new ResnetBlock2D(resnet, parameters))];
    readonly AddedKvAttention[] attentions = [.. plan.Attentions.Select(attention => new AddedKvAttention(attention, parameters))];
    readonly ResnetBlock2D? sampler = plan.Sampler is null ? null : new ResnetBlock2D(plan.Sampler, parameters);

    public string Name => plan.Name;

    /// <summary>On the way down: every layer's result is also a skip.</summary>
    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    /// <param name="skips">Takes the results; the last of them is the one returned.</param>
    /// <param name="emb">[B,time width], activated.</param>
    /// <param name="text">[B,L,text width].</param>
    public Tensor Down(Tensor x, Stack<Tensor> skips, Tensor emb, Tensor text)
    {
        var h = x;
        for (var i = 0; i < resnets.Length; i++)
        {
            h = Attended(i, resnets[i].Forward(h, emb), text);
            skips.Push(h);
        }

        if (sampler is not null)
        {
            h = sampler.Forward(h, emb);
            skips.Push(h);
        }

        return h;
    }

    /// <summary>In the middle: residual blocks with attention in between.</summary>
    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    /// <param name="emb">[B,time width], activated.</param>
    /// <param name="text">[B,L,text width].</param>
    public Tensor Middle(Tensor x, Tensor emb, Tensor text)
    {
        var h = Attended(0, resnets[0].Forward(x, emb), text);
        for (var i = 1; i < resnets.Length; i++)
            h = Attended(i, h.Then(y => resnets[i].Forward(y, emb)), text);
        return h;
    }

    /// <summary>On the way up: every residual block takes one skip.</summary>
    /// <param name="x">[B,C,H,W]; is freed.</param>
    /// <param name="skips">Those of the way down; the ones taken are freed.</param>
    /// <param name="emb">[B,time width], activated.</param>
    /// <param name="text">[B,L,text width].</param>
    public Tensor Up(Tensor x, Stack<Tensor> skips, Tensor emb, Tensor text)
    {
        var h = x;
        for (var i = 0; i < resnets.Length; i++)
        {
            using var skip = skips.Pop();
            h = h.Then(y => cat([y, skip], 1)).Then(y => resnets[i].Forward(y, emb));
            h = Attended(i, h, text);
        }

        return sampler is null ? h : h.Then(y => sampler.Forward(y, emb));
    }

    Tensor Attended(int i, Tensor h, Tensor text) => i < attentions.Length ? h.Then(y => attentions[i].Forward(y, text)) : h;
}
