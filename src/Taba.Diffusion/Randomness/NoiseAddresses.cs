namespace Taba.Diffusion.Randomness;

/// <summary>From an address of noise to its numbers.</summary>
public static class NoiseAddresses
{
    /// <summary>Opens the noise; the caller disposes it.</summary>
    /// <exception cref="ArgumentException">The layout does not accept the address.</exception>
    public static INoiseSource Open(this NoiseAddress address) => address.Layout switch
    {
        NoiseLayout.Upstream => new UpstreamNoise(address),
        NoiseLayout.PerSample => new PerSampleNoise(address),
        _ => throw new ArgumentException($"Unknown noise layout {address.Layout}; use Upstream or PerSample."),
    };
}
