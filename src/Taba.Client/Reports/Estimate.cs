using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>A metric over the runs that differ in their seeds only.</summary>
/// <param name="Count">Runs.</param>
/// <param name="Deviation">Sample standard deviation over the runs; null for a single one.</param>
/// <param name="Interval">95 %: of a single run over its samples, of several over their seeds; null when not known.</param>
readonly record struct Estimate(double Mean, int Count, double? Deviation, double Lowest, double Highest, Interval? Interval)
{
    /// <summary>The ends of what is drawn: of the interval, or of the values.</summary>
    public (double Low, double High) Ends => Interval is { } known
        ? (Math.Min(known.Low, Mean), Math.Max(known.High, Mean))
        : (Lowest, Highest);

    /// <summary>Null when no value is a number.</summary>
    public static Estimate? Of(IEnumerable<(double? Value, Interval? Interval)> runs)
    {
        var finite = runs.Where(r => r.Value is { } value && double.IsFinite(value)).ToList();
        if (finite.Count == 0)
            return null;
        double[] values = [.. finite.Select(r => r.Value!.Value)];
        var (lowest, highest) = (values.Min(), values.Max());
        // The average of equal numbers may be another number.
        var mean = Math.Clamp(values.Average(), lowest, highest);
        return new(
            mean, values.Length, values.Length > 1 ? Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)) : null,
            lowest, highest, values.Length > 1 ? StudentInterval.Of(values).Interval : finite[0].Interval);
    }
}
