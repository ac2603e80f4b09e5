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
    /// <param name="x">The state.</param>
    /// <param name="fast">Whether it keeps its channels innermost whatever its size, as networks in their fast form want it.</param>
    public static Tensor Double(Tensor x, bool fast)
    {
        var doubled = interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        return fast ? doubled : MemoryLayout.Suited(doubled);
    }

    /// <summary>[B,C,H,W] to [B,C,H/2,W/2], mean of 2x2.</summary>
    /// <param name="x">The state.</param>
    /// <param name="fast">As in <see cref="Double"/>.</param>
    public static Tensor Halve(Tensor x, bool fast)
    {
        var halved = avg_pool2d(x, kernel_size: 2, stride: 2);
        return fast ? halved : MemoryLayout.Suited(halved);
    }

    /// <summary>Doubles, halves, or gives <paramref name="x"/> itself.</summary>
    public static Tensor Apply(Resampling resampling, Tensor x, bool fast) => resampling switch
    {
        Resampling.Up => Double(x, fast),
        Resampling.Down => Halve(x, fast),
        _ => x,
    };
}
