using Taba.Diffusion.Models.Kernels;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>x·Wᵀ + b over the last axis.</summary>
sealed class Linear
{
    readonly Tensor? _weight;
    readonly PackedWeights? _packed;
    readonly Tensor? _bias;
    readonly long _width;

    /// <param name="weight">[Out,In].</param>
    /// <param name="bias">[Out], or null.</param>
    public Linear(Tensor weight, Tensor? bias) => (_weight, _bias, _width) = (weight, bias, weight.size(0));

    Linear(PackedWeights packed, Tensor? bias, long width) => (_packed, _bias, _width) = (packed, bias, width);

    /// <summary>
    /// One that computes as a 1x1 convolution by oneDNN: MKL's product, which libtorch would take, has a slow path on processors that are
    /// not Intel's (half the speed).
    /// </summary>
    /// <param name="weight">[Out,In]; stays as it is.</param>
    /// <param name="bias">[Out], or null.</param>
    /// <param name="keep">Is given what the layer keeps, and frees it when the network goes.</param>
    public static Linear Pack(Tensor weight, Tensor? bias, Action<IDisposable> keep)
    {
        using var scope = NewDisposeScope();
        var packed = new PackedWeights(weight.unsqueeze(-1).unsqueeze(-1).contiguous(), stride: 1, padding: 0);
        keep(packed);
        var own = bias?.alias().DetachFromDisposeScope();
        if (own is not null)
            keep(own);
        return new(packed, own, weight.size(0));
    }

    /// <param name="x">[...,In], of the weight's type.</param>
    public Tensor Forward(Tensor x) => Forward(x, Activation.None);

    /// <summary>The product, activated.</summary>
    /// <param name="x">[...,In], of the weight's type.</param>
    /// <param name="activation">None or GeluTanh.</param>
    public Tensor Forward(Tensor x, Activation activation)
    {
        if (_packed is null)
        {
            var product = nn.functional.linear(x, _weight!, _bias);
            return activation == Activation.None ? product : product.Then(activation);
        }
        using var scope = NewDisposeScope();
        var shape = x.shape;
        // All rows as the pixels of one picture: views of the same memory.
        var pixels = x.reshape(1, -1, 1, shape[^1]).permute(0, 3, 1, 2);
        var convolved = _packed.Convolve(pixels, _bias, activation == Activation.GeluTanh);
        shape[^1] = _width;
        return convolved.permute(0, 2, 3, 1).reshape(shape).MoveToOuterDisposeScope();
    }
}
