namespace Taba.Bench;

/// <summary>What several rounds gave.</summary>
readonly record struct Spread(double Median, double Least, double Most)
{
    /// <param name="values">One at least. The median of an even number of them is the mean of the middle two.</param>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return new(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }
}
