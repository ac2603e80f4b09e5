namespace Taba.Diffusion.Metrics;

/// <summary>The mean of some numbers and their standard deviation; the one who measures says which deviation it is.</summary>
public readonly record struct MeanStd(double Mean, double Std)
{
    /// <summary>With the deviation divided by n - 1; NaN of a single number.</summary>
    internal static MeanStd Unbiased(IReadOnlyCollection<double> values) => Of(values, values.Count - 1);

    /// <summary>With the deviation divided by n.</summary>
    internal static MeanStd Population(IReadOnlyCollection<double> values) => Of(values, values.Count);

    static MeanStd Of(IReadOnlyCollection<double> values, int divisor)
    {
        var mean = values.Average();
        return new(mean, divisor < 1 ? double.NaN : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / divisor));
    }
}
