using Taba.Diffusion.Models.Layers;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>An encoder or decoder of convolutions (Rombach et al. 2022, after VQGAN, Esser et al. 2021).</summary>
sealed class Coder(CoderPlan plan, ParameterSet parameters)
{
    readonly Convolution _convIn = parameters.Conv($"{plan.Prefix}.conv_in");
    readonly Func<Tensor, Tensor>[] _layers = Layers(plan, parameters);
    readonly GroupNorm _normOut = parameters.Norm($"{plan.Prefix}.conv_norm_out", plan.Groups, CoderPlan.Eps);
    readonly Convolution _convOut = parameters.Conv($"{plan.Prefix}.conv_out");

    /// <param name="x">[B,In,H,W], of the parameters' type; stays as it is.</param>
    /// <returns>[B,Out,H',W'].</returns>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = _convIn.Forward(parameters.IsFast ? MemoryLayout.ChannelsLast(x) : MemoryLayout.Suited(x));
        foreach (var layer in _layers)
            h = h.Then(layer);

        // Whatever act_fn is: diffusers has no field for this one.
        return h.Then(y => _normOut.Forward(y, Activation.Silu)).Then(_convOut.Forward).MoveToOuterDisposeScope();
    }

    /// <summary>All layers between the first and the last convolution, in the order of evaluation.</summary>
    static Func<Tensor, Tensor>[] Layers(CoderPlan plan, ParameterSet parameters)
    {
        var levels = plan.Levels.SelectMany(Level);
        List<Func<Tensor, Tensor>> mid = [Resnet(plan.MidResnets[0]), Resnet(plan.MidResnets[1])];
        if (plan.MidAttention is not null)
            mid.Insert(1, new SpatialAttention(plan.MidAttention, parameters).Forward);
        return [.. plan.Decodes ? mid.Concat(levels) : levels.Concat(mid)];

        IEnumerable<Func<Tensor, Tensor>> Level(CoderLevelPlan level)
        {
            var resnets = level.Resnets.Select(Resnet);
            return level.Sampler is null ? resnets : resnets.Append(Sampler(level.Sampler));
        }

        Func<Tensor, Tensor> Sampler(string prefix) =>
            plan.Decodes ? new Upsample2D(parameters, prefix).Forward : new Downsample2D(parameters, prefix, padding: 0).Forward;

        Func<Tensor, Tensor> Resnet(ResnetPlan resnet)
        {
            var block = new ResnetBlock2D(resnet, parameters);
            return x => block.Forward(x, null);
        }
    }
}
