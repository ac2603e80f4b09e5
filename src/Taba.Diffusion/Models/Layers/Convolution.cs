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
/// <param name="weight">[Out,In,K,K], or [Out,In,1].</param>
/// <param name="bias">[Out].</param>
/// <param name="stride">Along both axes.</param>
/// <param name="padding">Zeros on each side; null for as many as keep the size at stride 1.</param>
sealed class Convolution(Tensor weight, Tensor bias, long stride = 1, long? padding = null)
{
    const long Block = 16;

    readonly bool _flat = weight.dim() == 3;
    readonly long _padding = padding ?? weight.shape[^1] / 2;

    readonly bool _wholeBlocks = weight.shape[0] % Block == 0 && weight.shape[1] % Block == 0;

    readonly long _missing = weight.shape[1] > Block ? (Block - (weight.shape[1] % Block)) % Block : 0;

    /// <param name="x">[B,In,H,W].</param>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var kernel = _flat ? weight.unsqueeze(-1) : weight;
        var computed = x.dtype == ScalarType.BFloat16 && x.device_type == DeviceType.CPU && !_wholeBlocks ? ScalarType.Float32 : x.dtype;
        return conv2d(InBlocks(x).to(computed), InBlocks(kernel).to(computed), bias.to(
            computed), strides: [stride, stride], padding: [_padding, _padding])
            .to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <param name="t">With the input channels along its second axis.</param>
    Tensor InBlocks(Tensor t) => _missing > 0 && t.device_type == DeviceType.CPU ? pad(t, [0, 0, 0, 0, 0, _missing]) : t;
}
