using MathNet.Numerics.Distributions;

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>The mean of independent values, such as those of several seeds, with Student's interval.</summary>
/// <param name="Mean">NaN without values.</param>
/// <param name="Interval">Null below two values.</param>
/// <param name="PValue">Chance of such a mean if it were 0; null below two values. Of paired differences: the paired t-test.</param>
public readonly record struct StudentInterval(double Mean, Interval? Interval, double? PValue)
{
    /// <summary>Of values that are as good as normal in their mean.</summary>
    public static StudentInterval Of(ReadOnlySpan<double> values)
    {
        var (sum, lowest, highest) = (0.0, double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
            (sum, lowest, highest) = (sum + value, Math.Min(lowest, value), Math.Max(highest, value));
        // The average of equal numbers may be another number.
        var mean = lowest <= highest ? Math.Clamp(sum / values.Length, lowest, highest) : double.NaN;
        if (values.Length < 2)
            return new(mean, null, null);
        var squares = 0.0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        var error = Math.Sqrt(squares / (values.Length - 1) / values.Length);
        var freedom = values.Length - 1.0;
        var half = StudentT.InvCDF(0, 1, freedom, (1 + Uncertainty.Interval.Confidence) / 2) * error;
        return new(mean, new(mean - half, mean + half), error > 0 ? 2 * StudentT.CDF(0, 1, freedom, -Math.Abs(mean / error)) : null);
    }

    /// <summary>Of the differences a - b of values that belong to the same rows.</summary>
    /// <exception cref="ArgumentException">Lengths differ.</exception>
    public static StudentInterval OfPairs(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        if (a.Length != b.Length)
            throw new ArgumentException($"Pairs need as many values of one side as of the other: there are {a.Length} and {b.Length}.");
        var differences = new double[a.Length];
        for (var i = 0; i < a.Length; i++)
            differences[i] = a[i] - b[i];
        return Of(differences);
    }
}
