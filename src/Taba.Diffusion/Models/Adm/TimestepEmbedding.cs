using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Adm;

/// <summary>The sinusoids that stand for a timestep: [cos(t·f), sin(t·f)], f_j = 10000^(-j/half).</summary>
static class TimestepEmbedding
{
    /// <summary>f, float32 [1, <paramref name="width"/>/2].</summary>
    public static Tensor Frequencies(int width, Device device)
    {
        using var scope = NewDisposeScope();
        var half = width / 2;
        var exponents = arange(0, half, dtype: ScalarType.Float32).mul(-Math.Log(10000)).div(half);
        return exponents.exp().unsqueeze(0).to(device).DetachFromDisposeScope();
    }

    /// <param name="timesteps">[B], float32.</param>
    /// <param name="frequencies">Of <see cref="Frequencies"/>.</param>
    /// <returns>[B,width], float32.</returns>
    public static Tensor Of(Tensor timesteps, Tensor frequencies)
    {
        using var scope = NewDisposeScope();
        var angles = timesteps.to(ScalarType.Float32).unsqueeze(1).mul(frequencies);
        return cat([angles.cos(), angles.sin()], 1).MoveToOuterDisposeScope();
    }
}
