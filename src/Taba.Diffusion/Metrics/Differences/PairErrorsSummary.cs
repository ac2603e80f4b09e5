namespace Taba.Diffusion.Metrics.Differences;

/// <summary>Differences between the rows of two tensors.</summary>
/// <param name="Rows">Pairs of rows.</param>
/// <param name="Absolute">Mean of |a - b| over all values (upstream's <c>reconstruction_error</c>).</param>
/// <param name="Squared">Mean of (a - b)² over all values.</param>
/// <param name="Distance">L2 distance of a pair of rows; unbiased deviation over pairs.</param>
/// <param name="SignalToNoise">
/// 20·log10(peak / (√mean squared difference + 2.2e-16)) in decibel, of each pair; population deviation over pairs, as upstream's
/// diversity scores.
/// </param>
public sealed record PairErrorsSummary(long Rows, double Absolute, double Squared, MeanStd Distance, MeanStd SignalToNoise);
