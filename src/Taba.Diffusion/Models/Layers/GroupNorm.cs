using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Native;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// Normalisation over groups of channels (Wu and He 2018), with what follows it in residual blocks. Mean and variance are float32
/// whatever the input's type. Parameters of another type than the input's make the whole of it run in theirs (guided-diffusion keeps
/// them float32 in a float16 torso).
/// </summary>
/// <param name="weight">[C].</param>
/// <param name="bias">[C].</param>
/// <param name="groups">A divisor of C.</param>
/// <param name="eps">Added to the variance.</param>
/// <param name="fused">
/// Whether <see cref="NormKernel"/> computes it: then inputs have the channels innermost, and the parameters are float32.
/// </param>
sealed class GroupNorm(Tensor weight, Tensor bias, int groups = 32, double eps = 1e-5, bool fused = false)
{
    /// <param name="x">[B,C,...].</param>
    /// <returns>The shape and type of <paramref name="x"/>.</returns>
    public Tensor Forward(Tensor x)
    {
        // What are no pictures, such as words, are few.
        if (fused && x.dim() == 4)
            return Fused(x, Modulation.None, null, silu: false);
        if (x.dtype == weight.dtype)
            return group_norm(x, groups, weight, bias, eps);
        using var wide = x.to(weight.dtype);
        using var normalized = group_norm(wide, groups, weight, bias, eps);
        return normalized.to(x.dtype);
    }

    /// <summary>Normalises and activates.</summary>
    /// <param name="x">[B,C,H,W]; stays as it is.</param>
    /// <param name="activation">What follows.</param>
    /// <param name="inPlace">Whether intermediates may be overwritten.</param>
    public Tensor Forward(Tensor x, Activation activation, bool inPlace = true)
    {
        if (fused && activation == Activation.Silu)
            return Fused(x, Modulation.None, null, silu: true);
        return Activated(Forward(x), activation, inPlace);
    }

    /// <summary>Normalises what a timestep is added to, or modulates what was normalised, and activates it.</summary>
    /// <param name="x">[B,C,H,W]; is freed.</param>
    /// <param name="modulation">Add or ScaleShift.</param>
    /// <param name="timestep">[B,C] or [B,2C].</param>
    /// <param name="activation">What follows.</param>
    /// <param name="inPlace">Whether intermediates may be overwritten.</param>
    public Tensor Forward(Tensor x, Modulation modulation, Tensor timestep, Activation activation, bool inPlace = true)
    {
        if (fused)
        {
            var silu = activation == Activation.Silu;
            using var single = timestep.to(ScalarType.Float32);
            var fast = x.Then(y => Fused(y, modulation, single, silu));
            return silu ? fast : fast.Then(activation);
        }
        using var typed = timestep.to(x.dtype);
        using var wide = typed.unsqueeze(-1);
        using var projected = wide.unsqueeze(-1);
        if (modulation == Modulation.Add)
        {
            return Activated(
                x.Then(y => inPlace ? y.add_(projected, Scalars.One) : y.add(projected, Scalars.One)).Then(Forward), activation, inPlace);
        }
        using var scope = NewDisposeScope();
        var halves = projected.chunk(2, 1);
        var scale = halves[0].add(Scalars.One, Scalars.One);
        var modulated = x.Then(Forward)
            .Then(y => inPlace ? y.mul_(scale).add_(halves[1], Scalars.One) : halves[1].addcmul(y, scale, Scalars.One));
        return Activated(modulated, activation, inPlace).MoveToOuterDisposeScope();
    }

    Tensor Fused(Tensor x, Modulation modulation, Tensor? timestep, bool silu)
    {
        using var scope = NewDisposeScope();
        return NormKernel.Forward(
            MemoryLayout.ChannelsLast(x), weight, bias, groups, eps, modulation, timestep, silu).MoveToOuterDisposeScope();
    }

    static Tensor Activated(Tensor x, Activation activation, bool inPlace) =>
        inPlace ? x.Then(activation) : x.Then(y => activation.Of(y));
}
