namespace Taba.Diffusion.Metrics.Differences;

/// <summary>Divergences KL(first‖second) in nats, 0 or more.</summary>
/// <param name="Whole">All values as one Gaussian each.</param>
/// <param name="PerPixel">The mean over values of a row, each a Gaussian over samples; 1e-6 is added to each deviation.</param>
/// <param name="First">Moments of all values.</param>
/// <param name="Second">As above.</param>
public sealed record GaussianDivergenceSummary(double Whole, double PerPixel, Moments First, Moments Second);
