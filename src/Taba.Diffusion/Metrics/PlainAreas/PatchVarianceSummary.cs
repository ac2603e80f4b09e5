namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>Mean variance of 3x3 windows (upstream's <c>plain_mean</c>, <c>non_plain_mean</c>, <c>all_mean</c>).</summary>
/// <param name="Plain">Around plain pixels.</param>
/// <param name="Other">Around the others.</param>
/// <param name="All">Around all.</param>
public readonly record struct PatchVarianceSummary(double Plain, double Other, double All);
