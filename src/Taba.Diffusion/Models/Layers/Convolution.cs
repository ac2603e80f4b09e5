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
/// <remarks>
/// On some processors oneDNN's bfloat16 convolution is wrong by a third of its values where it has to fill up a block of 16 channels
/// (pytorch issue 163347; seen here with libtorch 2.10 on an AMD processor with AVX-512). Such a layer, which is the first or the last of
/// a network, computes in float32 on the CPU and rounds its result. And in float32 its kernels larger than 1x1 read memory that nothing was
/// written to where there are more than 16 input channels and they are no multiple of 16: the result is NaN where that memory held NaN.
/// Such a layer, which no model of the paper has, is given the missing channels as zeros on the CPU.
/// </remarks>
sealed class Convolution
{
    const long Block = 16;

    readonly Tensor? _weight;
    readonly PackedWeights? _packed;
    readonly Tensor? _bias;
    readonly long _stride;
    readonly long _padding;
    readonly bool _wholeBlocks;
    readonly long _missing;

    /// <param name="weight">[Out,In,K,K], or [Out,In,1].</param>
    /// <param name="bias">[Out]; null for none.</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">Zeros on each side; null for as many as keep the size at stride 1.</param>
    public Convolution(Tensor weight, Tensor? bias, long stride = 1, long? padding = null)
        : this(weight.shape, bias, stride, padding) => _weight = weight;

    Convolution(long[] shape, Tensor? bias, long stride, long? padding, PackedWeights? packed = null)
    {
        _packed = packed;
        _bias = bias;
        _stride = stride;
        _padding = padding ?? shape[^1] / 2;
        _wholeBlocks = shape[0] % Block == 0 && shape[1] % Block == 0;
        _missing = shape[1] > Block ? (Block - (shape[1] % Block)) % Block : 0;
    }

    /// <summary>One whose weights are in oneDNN's order.</summary>
    /// <param name="weight">[Out,In,K,K], or [Out,In,1]; stays as it is.</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="stride">Along both axes.</param>
    /// <param name="padding">As the other constructor has it.</param>
    /// <param name="keep">Is given what the layer keeps, and frees it when the network goes.</param>
    public static Convolution Pack(Tensor weight, Tensor? bias, long stride, long? padding, Action<IDisposable> keep)
    {
        using var scope = NewDisposeScope();
        var plain = new Convolution(weight, bias, stride, padding);
        var computed = plain.Computed(weight);
        var packed = new PackedWeights(plain.InBlocks(plain.Kernel()).to(computed).contiguous(), stride, plain._padding);
        keep(packed);
        var typed = bias?.to(computed, copy: true).DetachFromDisposeScope();
        if (typed is not null)
            keep(typed);
        return new(weight.shape, typed, stride, plain._padding, packed);
    }

    /// <param name="x">[B,In,H,W].</param>
    /// <param name="plus">[B,Out,H',W'], added to the result; null for nothing. Stays as it is.</param>
    public Tensor Forward(Tensor x, Tensor? plus = null)
    {
        using var scope = NewDisposeScope();
        var (given, computed) = (x.dtype, Computed(x));
        if (_packed is not null && given == computed && _missing == 0)
        {
            var packed = _packed.Convolve(MemoryLayout.ChannelsLast(x), _bias);
            return (plus is null ? packed : packed.add_(plus, Scalars.One)).MoveToOuterDisposeScope();
        }
        var input = InBlocks(x).to(computed);
        var convolved = (_packed is not null
            ? _packed.Convolve(MemoryLayout.ChannelsLast(input), _bias)
            : conv2d(
                input, InBlocks(Kernel()).to(computed), _bias?.to(computed), strides: [_stride, _stride], padding: [_padding, _padding]))
            .to(x.dtype);
        if (plus is not null)
            convolved = convolved.requires_grad ? convolved.add(plus, Scalars.One) : convolved.add_(plus, Scalars.One);
        return convolved.MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Forward(Tensor, Tensor?)"/>, where a method of one argument is wanted.</summary>
    public Tensor Forward(Tensor x) => Forward(x, null);

    ScalarType Computed(Tensor x) =>
        x.dtype == ScalarType.BFloat16 && x.device_type == DeviceType.CPU && !_wholeBlocks ? ScalarType.Float32 : x.dtype;

    Tensor Kernel() => _weight!.dim() == 3 ? _weight.unsqueeze(-1) : _weight;

    /// <param name="t">With the input channels along its second axis.</param>
    Tensor InBlocks(Tensor t) => _missing > 0 && t.device_type == DeviceType.CPU ? pad(t, [0, 0, 0, 0, 0, _missing]) : t;
}
