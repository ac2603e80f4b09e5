using System.Runtime.CompilerServices;
using Taba.Diffusion.Json;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using GeluForm = TorchSharp.Modules.GELU.Approximate;

namespace Taba.Diffusion.Models.Layers;

/// <summary>The activations that configs name in <c>act_fn</c>.</summary>
enum Activation
{
    None,
    Silu,
    Gelu,
    Mish,
    Relu,

    /// <summary>GELU by its tanh approximation.</summary>
    GeluTanh,
}

static class Activations
{
    /// <summary>Above it softplus is the identity.</summary>
    static readonly Scalar s_softplusThreshold = 20.0.ToScalar();

    /// <summary>Reads an <c>act_fn</c>.</summary>
    /// <exception cref="InvalidDataException">It is none of silu, swish, gelu, mish and relu.</exception>
    public static Activation ActFn(this JsonFields fields, string name, string? otherwise) =>
        fields.Choice(name, otherwise, "silu", "swish", "gelu", "mish", "relu") switch
        {
            "gelu" => Activation.Gelu,
            "mish" => Activation.Mish,
            "relu" => Activation.Relu,
            _ => Activation.Silu,
        };

    /// <summary>A new tensor; <paramref name="x"/> stays as it is.</summary>
    public static Tensor Of(this Activation activation, Tensor x) => activation switch
    {
        Activation.None => x.alias(),
        Activation.Silu => silu(x),
        Activation.Mish => Mish(x, inPlace: false),
        Activation.Relu => relu(x),
        Activation.GeluTanh => gelu(x, GeluForm.tanh),
        _ => gelu(x),
    };

    /// <summary>
    /// Activates a tensor that nothing else needs: overwrites it where libtorch can, and frees it where it cannot.
    /// </summary>
    public static Tensor Then(this Tensor x, Activation activation) => activation switch
    {
        Activation.None => x,
        Activation.Silu => silu(x, inplace: true),
        Activation.Mish => Mish(x, inPlace: true),
        Activation.Relu => relu(x, inplace: true),
        _ => x.Then(y => activation.Of(y)),
    };

    /// <summary>x·tanh(softplus(x)) (Misra 2019). TorchSharp has it, but lets go of the scalars that it gives to softplus.</summary>
    static Tensor Mish(Tensor x, bool inPlace)
    {
        using var softplus = Softplus(x, Scalars.One, s_softplusThreshold);
        using var gate = softplus.tanh();
        return inPlace ? x.mul_(gate) : x.mul(gate);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "softplus1")]
    static extern Tensor Softplus(Tensor x, Scalar beta, Scalar threshold);
}
