using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>Downsample2D of diffusers: a 3x3 convolution with stride 2.</summary>
/// <param name="parameters">Hold <c>prefix.conv</c>.</param>
/// <param name="prefix">Such as <c>down_blocks.0.downsamplers.0</c>.</param>
/// <param name="padding">1, or 0 for one row and column of zeros at the bottom and right only, as the autoencoders' encoder has it.</param>
sealed class Downsample2D(ParameterSet parameters, string prefix, int padding)
{
    readonly Convolution _conv = parameters.Conv($"{prefix}.conv", stride: 2, padding: padding);

    public static void Declare(ParameterList list, string prefix, int channels) => list.Conv($"{prefix}.conv", channels, channels, 3);

    /// <param name="x">[B,C,H,W].</param>
    /// <returns>[B,C,H/2,W/2].</returns>
    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var padded = padding == 0 ? nn.functional.pad(x, [0L, 1, 0, 1]) : x;
        var halved = _conv.Forward(padded);
        return (parameters.IsFast ? halved : MemoryLayout.Suited(halved)).MoveToOuterDisposeScope();
    }
}

/// <summary>Upsample2D of diffusers: nearest-neighbour doubling and a 3x3 convolution.</summary>
sealed class Upsample2D(ParameterSet parameters, string prefix)
{
    readonly Convolution _conv = parameters.Conv($"{prefix}.conv");

    public static void Declare(ParameterList list, string prefix, int channels) => list.Conv($"{prefix}.conv", channels, channels, 3);

    /// <param name="x">[B,C,H,W].</param>
    /// <returns>[B,C,2H,2W].</returns>
    public Tensor Forward(Tensor x) => Resample.Double(x, parameters.IsFast).Then(_conv.Forward);
}
