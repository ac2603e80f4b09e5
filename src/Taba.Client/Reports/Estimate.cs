using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>A metric over the runs that differ in their seeds only.</summary>
/// <param name="Count">Runs.</param>
/// <param name="Deviation">Sample standard deviation over the runs; null for a single one.</param>
/// <param name="Interval">
/// 95 %: of a single run over its samples, of several over their seeds, of several of one seed over their samples; null when not known.
/// </param>
readonly record struct Estimate(double Mean, int Count, double? Deviation, double Lowest, double Highest, Interval? Interval)
{
    /// <summary>True when the interval is over samples, false when it is over seeds.</summary>
    public bool IsOverSamples { get; init; }

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
            lowest, highest, values.Length > 1 ? StudentInterval.Of(values).Interval : finite[0].Interval)
        {
            IsOverSamples = values.Length == 1,
        };
    }

    /// <summary>
    /// Of runs of one seed, which differ in their forward noise. Every sample has noise of its own, so that a run's interval over its
    /// samples holds what that noise does; other noise on the same samples is no independent run. The mean of the runs has the mean of
    /// their intervals, as if they were one run: that is never too short. Without those it is that over the runs.
    /// </summary>
    public static Estimate? OfOneSeed(IReadOnlyCollection<(double? Value, Interval? Interval)> runs)
    {
        if (Of(runs) is not { Count: > 1 } estimate)
            return Of(runs);
        var known = runs.Where(r => r.Value is { } value && double.IsFinite(value)).Select(r => r.Interval).OfType<Interval>().ToList();
        return known.Count == estimate.Count
            ? estimate with { Interval = new(known.Average(i => i.Low), known.Average(i => i.High)), IsOverSamples = true }
            : estimate;
    }
}
