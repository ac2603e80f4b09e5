namespace Taba.Client.Reports;

/// <summary>A metric over the runs that differ in their seeds only.</summary>
/// <param name="Count">Runs.</param>
/// <param name="Deviation">Sample standard deviation over the runs; null for a single one.</param>
readonly record struct Estimate(double Mean, int Count, double? Deviation, double Lowest, double Highest)
{
    /// <summary>Null when no value is a number.</summary>
    public static Estimate? Of(IEnumerable<double?> values)
    {
        var finite = values.OfType<double>().Where(double.IsFinite).ToList();
        if (finite.Count == 0)
            return null;
        var (lowest, highest) = (finite.Min(), finite.Max());
        // The average of equal numbers may be another number.
        var mean = Math.Clamp(finite.Average(), lowest, highest);
        return new(
            mean, finite.Count, finite.Count > 1 ? Math.Sqrt(finite.Sum(v => (v - mean) * (v - mean)) / (finite.Count - 1)) : null,
            lowest, highest);
    }
}
