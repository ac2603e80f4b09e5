using MathNet.Numerics.Distributions;

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>A patch correlation with its spread.</summary>
/// <param name="Summary">Of the patches that were kept.</param>
/// <param name="Jackknife">Over rows; null below <see cref="RowGroups.FewestRows"/>.</param>
/// <param name="PatchMeans">The mean of the strongest correlations of each patch, with the number of its values.</param>
/// <param name="Patches">Patches of an image.</param>
public sealed record GroupedCorrelation(
    CorrelationSummary Summary, Jackknife? Jackknife, IReadOnlyList<(long Variables, double Mean)> PatchMeans, int Patches)
{
    /// <summary>Fewer tell no spread.</summary>
    const int FewestPatches = 4;

    /// <summary>
    /// The spread over rows around a value that was taken of all patches: some of them have at least the spread of all. Null below
    /// <see cref="RowGroups.FewestRows"/>.
    /// </summary>
    public Jackknife? Of(double value) =>
        Jackknife is null ? null : new(value, [.. Jackknife.Replicates.Select(r => value + (r - Jackknife.Value))]);

    /// <summary>
    /// The interval of white noise. Its patches share nothing, so that the spread over patches of one size is the spread over other
    /// noise; the jackknife finds about twice as much, because which correlations are the strongest changes with every row. Null where
    /// an image has fewer than four patches of one size.
    /// </summary>
    public Interval? OfNoise(double value)
    {
        var sizes = PatchMeans.GroupBy(p => p.Variables).ToList();
        var freedom = PatchMeans.Count - sizes.Count;
        if (freedom < FewestPatches - 1)
            return null;
        var squares = sizes.Sum(size =>
        {
            var mean = size.Average(p => p.Mean);
            return size.Sum(p => (p.Mean - mean) * (p.Mean - mean));
        });
        var half = StudentT.InvCDF(0, 1, freedom, (1 + Interval.Confidence) / 2) * Math.Sqrt(squares / freedom / Patches);
        return new(value - half, value + half);
    }
}
