using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Adm;

/// <summary>How the layers of one network compute.</summary>
/// <param name="Torso">The element type of states and convolutions between the first and the last layer.</param>
/// <param name="InPlace">Whether intermediates may be overwritten; false when gradients are wanted.</param>
sealed record LayerOptions(ScalarType Torso, bool InPlace)
{
    public Tensor Silu(Tensor x) => silu(x, InPlace);
}

/// <summary>A layer with its parameters. <c>Forward</c> leaves its result in the caller's dispose scope.</summary>
interface ILayer
{
    /// <param name="x">[B,C,H,W] in the torso's element type.</param>
    /// <param name="emb">[B,4C], float32: SiLU of the time (and class) embedding.</param>
    Tensor Forward(Tensor x, Tensor emb);
}

/// <summary>Normalisation over 32 groups, computed in float32 whatever the input's type, and returned in that type.</summary>
sealed class GroupNorm32(Tensor weight, Tensor bias)
{
    public Tensor Forward(Tensor x)
    {
        if (x.dtype == ScalarType.Float32)
            return group_norm(x, 32, weight, bias, 1e-5);
        using var wide = x.to(ScalarType.Float32);
        using var normalized = group_norm(wide, 32, weight, bias, 1e-5);
        return normalized.to(x.dtype);
    }
}

/// <summary>
/// A convolution with padding that keeps the size. Its parameters are cast to the type of the input when they differ
/// (training in mixed precision); a one-dimensional kernel is applied as 1x1.
/// </summary>
sealed class Convolution(Tensor weight, Tensor bias, long stride = 1)
{
    readonly bool flat = weight.dim() == 3;
    readonly long padding = weight.shape[^1] / 2;

    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var kernel = flat ? weight.unsqueeze(-1) : weight;
        return conv2d(x, kernel.to(x.dtype), bias.to(x.dtype), strides: [stride, stride], padding: [padding, padding])
            .MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution as a layer of its own: the first one, and those that change the resolution.</summary>
sealed class ConvLayer(Convolution convolution, Resampling resampling) : ILayer
{
    public Tensor Forward(Tensor x, Tensor emb)
    {
        using var scope = NewDisposeScope();
        var result = resampling switch
        {
            Resampling.Up => convolution.Forward(Resample.Double(x)),
            Resampling.Down => MemoryLayout.Suited(convolution.Forward(x)),
            _ => convolution.Forward(x),
        };
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>Changes of resolution without parameters.</summary>
static class Resample
{
    /// <summary>[B,C,H,W] to [B,C,2H,2W], nearest neighbour.</summary>
    public static Tensor Double(Tensor x) =>
        MemoryLayout.Suited(interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest));

    /// <summary>[B,C,H,W] to [B,C,H/2,W/2], mean of 2x2.</summary>
    public static Tensor Halve(Tensor x) => MemoryLayout.Suited(avg_pool2d(x, kernel_size: 2, stride: 2));
}
