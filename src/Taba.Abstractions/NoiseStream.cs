namespace Taba;

/// <summary>
/// The use of noise: one seed gives unrelated numbers for each. Only the per-sample layout looks at it; the upstream layout has one
/// stream a seed.
/// </summary>
public enum NoiseStream
{
    /// <summary>x_T, from which sampling starts.</summary>
    Initial = 0,

    /// <summary>The ε of forward diffusion that replaces the first inversion steps.</summary>
    Forward = 1,
}
