using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// The sinusoids that stand for a timestep (Vaswani et al. 2017; Ho et al. 2020): [sin(t·f), cos(t·f)] with
/// f_j = 10000^(-j/(half - shift)), half = width/2. Owns its frequencies.
/// </summary>
sealed class TimestepSinusoids : IDisposable
{
    readonly bool _cosineFirst;
    readonly Tensor _frequencies;

    /// <param name="width">Length of the vector; even.</param>
    /// <param name="device">Where the timesteps are.</param>
    /// <param name="cosineFirst">[cos, sin] instead of [sin, cos]: flip_sin_to_cos of diffusers, always so in guided-diffusion.</param>
    /// <param name="shift">freq_shift (downscale_freq_shift) of diffusers: what is taken from half in the exponent.</param>
    public TimestepSinusoids(int width, Device device, bool cosineFirst = true, double shift = 0)
    {
        using var scope = NewDisposeScope();
        _cosineFirst = cosineFirst;
        var half = width / 2;
        using var count = half.ToScalar();
        using var fall = (-Math.Log(10000)).ToScalar();
        using var range = (half - shift).ToScalar();
        var exponents = arange(Scalars.Zero, count, Scalars.One, dtype: ScalarType.Float32).mul(fall).div(range);
        _frequencies = exponents.exp().unsqueeze(0).to(device).DetachFromDisposeScope();
    }

    /// <param name="timesteps">[B], any type.</param>
    /// <returns>[B,width], float32.</returns>
    public Tensor Of(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var angles = timesteps.to(ScalarType.Float32).unsqueeze(1).mul(_frequencies);
        var (sine, cosine) = (angles.sin(), angles.cos());
        return cat(_cosineFirst ? [cosine, sine] : [sine, cosine], 1).MoveToOuterDisposeScope();
    }

    public void Dispose() => _frequencies.Dispose();
}
