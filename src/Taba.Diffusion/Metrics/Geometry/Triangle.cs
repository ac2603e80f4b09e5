namespace Taba.Diffusion.Metrics.Geometry;

/// <summary>A triangle of whole degrees.</summary>
/// <param name="Latent">Degrees at the latent, 1 to 178.</param>
/// <param name="Sample">Degrees at the sample, 1 to 178.</param>
/// <param name="Noise">Degrees at the noise: what is left of 180.</param>
/// <param name="Probability">Product of the three shares of samples, above 0 and at most 1.</param>
public sealed record Triangle(int Latent, int Sample, int Noise, double Probability);
