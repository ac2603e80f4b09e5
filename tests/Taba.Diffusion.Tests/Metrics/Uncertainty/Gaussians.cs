using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

/// <summary>Rows of Gaussians with correlations that are known, by seed.</summary>
static class Gaussians
{
    public static float[] White(StateShape shape, int rows, int seed)
    {
        var address = new NoiseAddress(NoiseLayout.PerSample, seed, Dtype.Float32, NoiseStream.Initial, shape, rows);
        using var noise = address.Open();
        var values = new float[rows * shape.Elements];
        noise.Rows(0, rows, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Each value takes a share of its left neighbour: neighbours correlate by a / (1 + a²).</summary>
    public static float[] Blurred(StateShape shape, float[] white, float a)
    {
        var values = (float[])white.Clone();
        for (var i = 0; i < values.Length; i++)
        {
            if (i % shape.Width > 0)
                values[i] += a * white[i - 1];
        }
        return values;
    }

    /// <summary>All values of a row share a factor: all correlate by b² / (1 + b²).</summary>
    public static float[] WithFactor(StateShape shape, float[] white, float b, int seed)
    {
        var values = (float[])white.Clone();
        var factors = White(new(1, 1, 1), white.Length / (int)shape.Elements, seed);
        for (var i = 0; i < values.Length; i++)
            values[i] += b * factors[i / (int)shape.Elements];
        return values;
    }
}
