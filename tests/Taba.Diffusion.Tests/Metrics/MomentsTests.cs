using Taba.Diffusion.Metrics;

namespace Taba.Diffusion.Tests.Metrics;

public sealed class MomentsTests
{
    [Fact]
    public void Value_OfPartsAndOfTheWhole_IsTheSame()
    {
        var values = Enumerable.Range(0, 10_001).Select(i => (float)Math.Sin(i)).ToArray();
        var whole = Accumulate(values);
        var merged = Accumulate(values[..17]);
        merged.Merge(Accumulate(values[17..9000]));
        merged.Merge(new MomentsAccumulator());
        merged.Merge(Accumulate(values[9000..]));

        Assert.Equal(whole.Value.Count, merged.Value.Count);
        Assert.Equal(whole.Value.Mean, merged.Value.Mean, 1e-14);
        Assert.Equal(whole.Value.Std, merged.Value.Std, 1e-13);
    }

    [Fact]
    public void Value_OfAMeanFarAboveTheSpread_KeepsItsDigits()
    {
        // Exactly representable: a million ± 0.0625.
        var values = Enumerable.Range(0, 20_000).Select(i => 1e6f + (i % 2 == 0 ? 0.0625f : -0.0625f)).ToArray();
        var moments = Accumulate(values).Value;
        Assert.Equal(1e6, moments.Mean, 1e-9);
        Assert.Equal(0.0625 * Math.Sqrt(20_000.0 / 19_999), moments.Std, 1e-12);
    }

    [Fact]
    public void Value_OfTooFewElements_IsNaN()
    {
        Assert.Equal(new Moments(0, double.NaN, double.NaN), new MomentsAccumulator().Value);
        Assert.Equal(new Moments(1, 3, double.NaN), Accumulate([3]).Value);
    }

    [Fact]
    public void KlDivergence_OfEqualMoments_IsZeroAndOfOthersPositive()
    {
        var a = new Moments(10, 0.5, 2);
        Assert.Equal(0, KlDivergence.Between(a, a), 1e-15);
        Assert.Equal(0.5 * (4 + (0.25 / 1) - 1 - Math.Log(4)), KlDivergence.Between(a, new Moments(10, 0, 1)), 1e-15);
    }

    [Fact]
    public void MeanAbsoluteError_OfParts_IsThatOfTheWhole()
    {
        var error = new MeanAbsoluteError();
        Assert.Equal(double.NaN, error.Value);
        error.Add([1, 2], [2, 0]);
        var other = new MeanAbsoluteError();
        other.Add([5], [-1]);
        error.Merge(other);
        Assert.Equal(3, error.Value);
        Assert.Throws<ArgumentException>(() => error.Add([1, 2], [1]));
    }

    static MomentsAccumulator Accumulate(float[] values)
    {
        var accumulator = new MomentsAccumulator();
        accumulator.Add(values);
        return accumulator;
    }
}
