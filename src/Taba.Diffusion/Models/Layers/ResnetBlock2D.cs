using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>The common settings of one network's residual blocks.</summary>
/// <param name="Groups">Groups of the normalisations (norm_num_groups).</param>
/// <param name="Eps">Of the normalisations (norm_eps).</param>
/// <param name="Activation">act_fn.</param>
/// <param name="TimeWidth">Width of the time embedding; null when there is none (autoencoders).</param>
/// <param name="ScaleShift">
/// resnet_time_scale_shift: "scale_shift" modulates the second normalisation, "default" adds to its input.
/// </param>
sealed record ResnetStyle(int Groups, double Eps, Activation Activation, int? TimeWidth = null, bool ScaleShift = false);

/// <summary>One residual block: where its parameters are, its widths, and what it does to the resolution.</summary>
sealed record ResnetPlan(string Prefix, int In, int Out, ResnetStyle Style, Resampling Resampling = Resampling.None)
{
    /// <summary>The divisor of the sum (output_scale_factor).</summary>
    public double OutputScaleFactor { get; init; } = 1;

    public void Declare(ParameterList list)
    {
        list.Norm($"{Prefix}.norm1", In);
        list.Conv($"{Prefix}.conv1", In, Out, 3);
        if (Style.TimeWidth is { } width)
            list.Linear($"{Prefix}.time_emb_proj", width, Style.ScaleShift ? 2 * Out : Out);
        list.Norm($"{Prefix}.norm2", Out);
        list.Conv($"{Prefix}.conv2", Out, Out, 3);
        if (In != Out)
            list.Conv($"{Prefix}.conv_shortcut", In, Out, 1);
    }
}

/// <summary>
/// ResnetBlock2D of diffusers: two normalised convolutions around the time embedding, and a shortcut. A resampling block resamples
/// between the first activation and convolution, and the shortcut. Inference only.
/// </summary>
sealed class ResnetBlock2D(ResnetPlan plan, ParameterSet parameters)
{
    readonly Activation _activation = plan.Style.Activation;
    readonly GroupNorm _norm1 = parameters.Norm($"{plan.Prefix}.norm1", plan.Style.Groups, plan.Style.Eps);
    readonly Convolution _conv1 = parameters.Conv($"{plan.Prefix}.conv1");
    readonly int? _time = plan.Style.TimeWidth is null ? null : parameters.Times.Add($"{plan.Prefix}.time_emb_proj");
    readonly GroupNorm _norm2 = parameters.Norm($"{plan.Prefix}.norm2", plan.Style.Groups, plan.Style.Eps);
    readonly Convolution _conv2 = parameters.Conv($"{plan.Prefix}.conv2");
    readonly Scalar? _divisor = plan.OutputScaleFactor == 1 ? null : plan.OutputScaleFactor.ToScalar();
    readonly Convolution? _shortcut = plan.In == plan.Out ? null : parameters.Conv($"{plan.Prefix}.conv_shortcut");

    /// <param name="x">[B,In,H,W]; stays as it is.</param>
    /// <param name="emb">
    /// What <see cref="TimeProjections.Prepare"/> makes of the activated time embedding; null when the style has none.
    /// </param>
    /// <returns>[B,Out,H',W'].</returns>
    public Tensor Forward(Tensor x, Tensor? emb)
    {
        using var scope = NewDisposeScope();
        var h = _norm1.Forward(x, _activation).Then(y => Resample.Apply(plan.Resampling, y, parameters.IsFast)).Then(_conv1.Forward);
        h = Condition(h, emb);
        var skip = Resample.Apply(plan.Resampling, x, parameters.IsFast);
        if (_shortcut is not null)
            skip = _shortcut.Forward(skip);
        h = h.Then(y => _conv2.Forward(y, plus: skip));
        if (_divisor is not null)
            h = h.div_(_divisor);
        return h.MoveToOuterDisposeScope();
    }

    Tensor Condition(Tensor h, Tensor? emb)
    {
        if (_time is not { } number)
            return h.Then(y => _norm2.Forward(y, _activation));
        ArgumentNullException.ThrowIfNull(emb);
        using var projected = parameters.Times.Of(emb, number);
        return _norm2.Forward(h, plan.Style.ScaleShift ? Modulation.ScaleShift : Modulation.Add, projected, _activation);
    }
}
