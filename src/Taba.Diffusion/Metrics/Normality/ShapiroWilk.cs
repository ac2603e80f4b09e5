using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace Taba.Diffusion.Metrics.Normality;

/// <summary>
/// The Shapiro-Wilk test of normality as Royston 1995 reckons it ("Remark AS R94", Applied Statistics 44): W compares the ordered values
/// with the expected order of normal ones. Made for one number of values, whose weights it keeps. Thread-safe.
/// </summary>
public sealed class ShapiroWilk
{
    /// <summary>The fewest values that have a shape.</summary>
    public const int LeastValues = 3;

    /// <summary>The approximation of the p-value was fitted up to here.</summary>
    public const int MostValues = 5000;

    // Royston's polynomials, lowest power first: of the two largest weights in 1/√n; of mean and log deviation of the transformed W, in n
    // for few values and in ln n for many.
    static readonly double[] s_largestWeight = [0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056];
    static readonly double[] s_secondWeight = [0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633];
    static readonly double[] s_bound = [-2.273, 0.459];
    static readonly double[] s_fewMean = [0.544, -0.39978, 0.025054, -6.714e-4];
    static readonly double[] s_fewDeviation = [1.3822, -0.77857, 0.062767, -0.0020322];
    static readonly double[] s_manyMean = [-1.5861, -0.31082, -0.083751, 0.0038915];
    static readonly double[] s_manyDeviation = [-0.4803, -0.082676, 0.0030302];

    readonly double[] _weights;

    /// <param name="count">Values of a sample, <see cref="LeastValues"/> to <see cref="MostValues"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count lies outside.</exception>
    public ShapiroWilk(int count)
    {
        if (count is < LeastValues or > MostValues)
        {
            throw new ArgumentOutOfRangeException(
                nameof(count), count, $"The Shapiro-Wilk test takes {LeastValues} to {MostValues} values, not {count}.");
        }

        Count = count;
        _weights = Weights(count);
    }

    /// <summary>Values of a sample.</summary>
    public int Count { get; }

    /// <summary>Tests one sample.</summary>
    /// <param name="values"><see cref="Count"/> values; they are sorted in place.</param>
    /// <returns>W, above 0 and at most 1, and its p-value; both NaN where all values are equal or one is no number.</returns>
    /// <exception cref="ArgumentException">Another number of values.</exception>
    public (double W, double P) Test(Span<double> values)
    {
        if (values.Length != Count)
            throw new ArgumentException($"This test is of {Count} values, not of {values.Length}.", nameof(values));

        // NaN is sorted to the front.
        values.Sort();
        if (!double.IsFinite(values[0]) || !double.IsFinite(values[^1]) || values[0] == values[^1])
            return (double.NaN, double.NaN);

        // 1 - W is reckoned itself, because W is often close to 1: √(sum of squares) ± the weighted sum.
        var mean = Mean(values);
        var (squares, weighted) = (0.0, 0.0);
        for (var i = 0; i < values.Length; i++)
            squares += (values[i] - mean) * (values[i] - mean);
        for (var i = 0; i < _weights.Length; i++)
            weighted += _weights[i] * (values[^(i + 1)] - values[i]);
        var root = Math.Sqrt(squares);
        var shortfall = Math.Max(0, (root - weighted) * (root + weighted) / squares);
        return (1 - shortfall, Probability(1 - shortfall, shortfall));
    }

    static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum / values.Length;
    }

    double Probability(double w, double shortfall)
    {
        // Of three values the distribution of W is known.
        if (Count == 3)
            return Math.Max(0, 6 / Math.PI * (Math.Asin(Math.Sqrt(w)) - Math.Asin(Math.Sqrt(0.75))));

        var y = Math.Log(shortfall);
        double mean, deviation;
        if (Count <= 11)
        {
            var bound = Polynomial.Evaluate(Count, s_bound);
            if (y >= bound)
                return 0;
            y = -Math.Log(bound - y);
            mean = Polynomial.Evaluate(Count, s_fewMean);
            deviation = Math.Exp(Polynomial.Evaluate(Count, s_fewDeviation));
        }
        else
        {
            var logarithm = Math.Log(Count);
            mean = Polynomial.Evaluate(logarithm, s_manyMean);
            deviation = Math.Exp(Polynomial.Evaluate(logarithm, s_manyDeviation));
        }

        return SpecialFunctions.Erfc((y - mean) / deviation / Math.Sqrt(2)) / 2;
    }

    /// <summary>The weights of the differences largest - smallest, second largest - second smallest, and so on.</summary>
    static double[] Weights(int count)
    {
        if (count == 3)
            return [Math.Sqrt(0.5)];

        // Blom's approximation of the expected order of normal values.
        var expected = new double[count / 2];
        for (var i = 0; i < expected.Length; i++)
            expected[i] = -Normal.InvCDF(0, 1, (i + 1 - 0.375) / (count + 0.25));
        var squares = 2 * expected.Sum(value => value * value);

        // The largest weights are corrected; the others keep their proportions and make the sum of squares 1.
        var corrected = count > 5 ? 2 : 1;
        var weights = new double[expected.Length];
        var (restOfSquares, restOfWeights) = (squares, 1.0);
        for (var i = 0; i < corrected; i++)
        {
            weights[i] = (expected[i] / Math.Sqrt(squares))
                + Polynomial.Evaluate(1 / Math.Sqrt(count), i == 0 ? s_largestWeight : s_secondWeight);
            restOfSquares -= 2 * expected[i] * expected[i];
            restOfWeights -= 2 * weights[i] * weights[i];
        }

        for (var i = corrected; i < weights.Length; i++)
            weights[i] = expected[i] / Math.Sqrt(restOfSquares / restOfWeights);
        return weights;
    }
}
