using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Layers;

/// <summary>The effect of a layer on the resolution.</summary>
enum Resampling
{
    None,
    Down,
    Up,
}

/// <summary>Changes of resolution without parameters.</summary>
static class Resample
{
    /// <summary>[B,C,H,W] to [B,C,2H,2W], nearest neighbour.</summary>
    public static Tensor Double(Tensor x) =>
        MemoryLayout.Suited(interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest));

    /// <summary>[B,C,H,W] to [B,C,H/2,W/2], mean of 2x2.</summary>
    public static Tensor Halve(Tensor x) => MemoryLayout.Suited(avg_pool2d(x, kernel_size: 2, stride: 2));

    /// <summary>Doubles, halves, or gives <paramref name="x"/> itself.</summary>
    public static Tensor Apply(Resampling resampling, Tensor x) => resampling switch
    {
        Resampling.Up => Double(x),
        Resampling.Down => Halve(x),
        _ => x,
    };
}
