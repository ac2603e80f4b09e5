namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>Bits of a PNG for each pixel.</summary>
/// <param name="Plain">Of plain areas, the mean over images that have any.</param>
/// <param name="Other">Of the rest, the mean over images that have any.</param>
/// <param name="PlainOverAll">Divided by all images, as upstream does.</param>
/// <param name="OtherOverAll">As above.</param>
public readonly record struct PngBitsSummary(double Plain, double Other, double PlainOverAll, double OtherOverAll);
