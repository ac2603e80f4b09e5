using MathNet.Numerics.Distributions;

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>
/// A number of N rows, and what it is without each of twenty quarters of them (<see cref="RowGroups"/>): the delete-a-group jackknife of
/// Shao and Wu 1989 ("A general theory for jackknife variance estimation"), with d = N/4, which unlike d = 1 also holds for the largest
/// of many values. Two numbers of the same rows are compared by the differences of their replicates.
/// </summary>
/// <param name="Value">Of all rows.</param>
/// <param name="Replicates">One a line of <see cref="RowGroups"/>.</param>
public sealed record Jackknife(double Value, IReadOnlyList<double> Replicates)
{
    /// <summary>Groups, less the one that their mean takes.</summary>
    const double Freedom = RowGroups.Count - 1;

    /// <summary>Rows kept over rows left out: replicates share most of their rows, and spread less than new rows would.</summary>
    const double KeptOverLeftOut = 3;

    /// <summary>The standard deviation that the number would have over other N rows, about.</summary>
    public double StandardError
    {
        get
        {
            var mean = Replicates.Average();
            return Math.Sqrt(KeptOverLeftOut * Replicates.Average(r => (r - mean) * (r - mean)));
        }
    }

    /// <summary>Holds what the number is on average over other N rows. Of a correlation that depends on N, and so does this.</summary>
    public Interval Interval
    {
        get
        {
            var half = StudentT.InvCDF(0, 1, Freedom, (1 + Uncertainty.Interval.Confidence) / 2) * StandardError;
            return new(Value - half, Value + half);
        }
    }

    /// <summary>
    /// The same of a correlation: symmetric in Fisher's z = atanh r, whose spread does not depend on r, and so within ±1. NaN where it
    /// is 1.
    /// </summary>
    public Interval OfCorrelation
    {
        get
        {
            var z = new Jackknife(Math.Atanh(Value), [.. Replicates.Select(Math.Atanh)]).Interval;
            return new(Math.Tanh(z.Low), Math.Tanh(z.High));
        }
    }

    /// <summary>Chance that |number| were as large if it were 0 on average: for differences. NaN where nothing varies.</summary>
    public double PValue => 2 * StudentT.CDF(0, 1, Freedom, -Math.Abs(Value / StandardError));

    /// <summary>What this number is above another of the same rows.</summary>
    public Jackknife Minus(Jackknife other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new(Value - other.Value, [.. Replicates.Zip(other.Replicates, (a, b) => a - b)]);
    }
}
