using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// A convolution over pixels. Its parameters are cast to the type of the input when they differ (training in mixed precision); a
/// one-dimensional kernel is applied as 1x1.
/// </summary>
/// <param name="weight">[Out,In,K,K], or [Out,In,1].</param>
/// <param name="bias">[Out].</param>
/// <param name="stride">Along both axes.</param>
/// <param name="padding">Zeros on each side; null for as many as keep the size at stride 1.</param>
sealed class Convolution(Tensor weight, Tensor bias, long stride = 1, long? padding = null)
{
    readonly bool flat = weight.dim() == 3;
    readonly long padding = padding ?? weight.shape[^1] / 2;

    /// <param name="x">[B,In,H,W].</param>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var kernel = flat ? weight.unsqueeze(-1) : weight;
        return conv2d(x, kernel.to(x.dtype), bias.to(x.dtype), strides: [stride, stride], padding: [padding, padding])
            .MoveToOuterDisposeScope();
    }
}
