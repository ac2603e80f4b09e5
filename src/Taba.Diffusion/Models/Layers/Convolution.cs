using Taba.Diffusion.Models.Kernels;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// A convolution over pixels. Its parameters are cast to the type of the input when they differ (training in mixed precision); a
/// one-dimensional kernel is applied as 1x1.
/// </summary>
sealed class Convolution
{
    readonly Tensor? _weight;
    readonly PackedWeights? _packed;
    readonly Tensor? _bias;
    readonly long _stride;
    readonly long _padding;

    /// <param name="weight">[Out,In,K,K], or [Out,In,1].</param>
    /// <param name="bias">[Out]; null for none.</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">Zeros on each side; null for as many as keep the size at stride 1.</param>
    public Convolution(Tensor weight, Tensor? bias, long stride = 1, long? padding = null)
        : this(bias, stride, padding ?? Padding(weight)) => _weight = weight;

    Convolution(Tensor? bias, long stride, long padding, PackedWeights? packed = null) =>
        (_bias, _stride, _padding, _packed) = (bias, stride, padding, packed);

    /// <summary>One whose weights are in oneDNN's order.</summary>
    /// <param name="weight">[Out,In,K,K], or [Out,In,1]; stays as it is.</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">As the other constructor has it.</param>
    /// <param name="keep">Is given what the layer keeps, and frees it when the network goes.</param>
    public static Convolution Pack(Tensor weight, Tensor? bias, long stride, long? padding, Action<IDisposable> keep)
    {
        using var scope = NewDisposeScope();
        var around = padding ?? Padding(weight);
        var packed = new PackedWeights(InTwoDimensions(weight).contiguous(), stride, around);
        keep(packed);
        var own = bias?.alias().DetachFromDisposeScope();
        if (own is not null)
            keep(own);
        return new(own, stride, around, packed);
    }

    /// <param name="x">[B,In,H,W].</param>
    /// <param name="plus">[B,Out,H',W'], added to the result; null for nothing. Stays as it is.</param>
    public Tensor Forward(Tensor x, Tensor? plus = null)
    {
        using var scope = NewDisposeScope();
        var convolved = _packed is not null
            ? _packed.Convolve(MemoryLayout.ChannelsLast(x), _bias)
            : conv2d(
                x, InTwoDimensions(_weight!).to(x.dtype), _bias?.to(x.dtype), strides: [_stride, _stride], padding: [_padding, _padding]);
        if (plus is not null)
            convolved = convolved.requires_grad ? convolved.add(plus, Scalars.One) : convolved.add_(plus, Scalars.One);
        return convolved.MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Forward(Tensor, Tensor?)"/>, where a method of one argument is wanted.</summary>
    public Tensor Forward(Tensor x) => Forward(x, null);

    static long Padding(Tensor weight) => weight.size(-1) / 2;

    static Tensor InTwoDimensions(Tensor weight) => weight.dim() == 3 ? weight.unsqueeze(-1) : weight;
}
