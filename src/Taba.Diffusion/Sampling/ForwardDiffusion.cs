using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>The forward process in one leap: x ← √ᾱ·x + √(1-ᾱ)·ε (Ho et al. 2020, equation 4).</summary>
public static class ForwardDiffusion
{
    /// <summary>Diffuses a batch whose rows go to the same level.</summary>
    /// <param name="x">Clean values, [B,C,H,W], float32. Not changed.</param>
    /// <param name="noise">ε, same shape.</param>
    /// <param name="alphaBar">ᾱ of the level to reach, 0 to 1.</param>
    /// <param name="state">The state's type.</param>
    /// <returns>A new tensor on the device of <paramref name="x"/>.</returns>
    public static Tensor Apply(Tensor x, Tensor noise, double alphaBar, ScalarType state = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        var noisy = x.to(ScalarType.Float32, CPU, copy: true).contiguous();
        var values = MemoryMarshal.Cast<byte, float>(noisy.bytes);
        Apply(values, MemoryMarshal.Cast<byte, float>(noise.to(ScalarType.Float32, CPU).contiguous().bytes), alphaBar, values, state);
        return noisy.to(x.device).MoveToOuterDisposeScope();
    }

    /// <summary>Diffuses a row, or any number of rows that go to the same level.</summary>
    /// <param name="x">Clean values, float32.</param>
    /// <param name="noise">ε, as many values.</param>
    /// <param name="alphaBar">ᾱ of the level to reach, 0 to 1.</param>
    /// <param name="destination">Receives the noisy values; may be <paramref name="x"/> itself.</param>
    /// <param name="type">
    /// The state's type. In half precision every operation is rounded to it, with float32 coefficients, as upstream's DiT and IF do
    /// on a GPU.
    /// </param>
    /// <exception cref="ArgumentException">Lengths differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">ᾱ is outside [0,1].</exception>
    public static void Apply(
        ReadOnlySpan<float> x, ReadOnlySpan<float> noise, double alphaBar, Span<float> destination, ScalarType type = ScalarType.Float32)
    {
        if (x.Length != noise.Length || destination.Length < x.Length)
        {
            throw new ArgumentException(
                $"Forward diffusion needs as much noise and room as there are values: {x.Length} values, {noise.Length} of noise, room "
                + $"for {destination.Length}.");
        }

        if (!(alphaBar >= 0 && alphaBar <= 1))
            throw new ArgumentOutOfRangeException(nameof(alphaBar), alphaBar, "ᾱ must lie in [0,1].");

        if (type != ScalarType.Float32)
        {
            var (a, b) = (MathF.Sqrt((float)alphaBar), MathF.Sqrt(1 - (float)alphaBar));
            for (var i = 0; i < x.Length; i++)
                destination[i] = Round(Round(a * Round(x[i])) + Round(b * Round(noise[i])));
            return;
        }

        // In float64, rounded once: inversion of a clamped pixel magnifies an error here by up to √(1/(1-ᾱ)).
        var (signal, spread) = (Math.Sqrt(alphaBar), Math.Sqrt(1 - alphaBar));
        for (var i = 0; i < x.Length; i++)
            destination[i] = (float)((signal * x[i]) + (spread * noise[i]));

        float Round(float value) => StateRounding.Round(value, type);
    }
}
