using Taba.Diffusion.Metrics.Normality;

namespace Taba.Diffusion.Tests.Metrics.Normality;

public sealed class ShapiroWilkTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Test_NormalSamples_HavePValuesSpreadEvenly(int count)
    {
        var test = new ShapiroWilk(count);
        var values = AnalysisRows.Normal(count, 2000 * count);
        var p = Enumerable.Range(0, 2000).Select(i => P(test, values.Rows(count, i, 1))).ToArray();

        // 2,000 uniform numbers: six standard errors, and a little for the approximation.
        Assert.Equal(0.05, p.Count(value => value <= 0.05) / 2000.0, 0.03);
        Assert.Equal(0.5, p.Count(value => value <= 0.5) / 2000.0, 0.08);
    }

    [Fact]
    public void Test_OtherDistributions_AreTold()
    {
        var test = new ShapiroWilk(500);
        var random = new Random(1);
        Assert.True(P(test, [.. Enumerable.Range(0, 500).Select(_ => random.NextSingle())]) < 1e-6);
        Assert.True(P(test, [.. Enumerable.Range(0, 500).Select(_ => (float)-Math.Log(1 - random.NextDouble()))]) < 1e-12);
    }

    [Fact]
    public void Test_MovedScaledTurnedAndPermuted_IsTheSame()
    {
        var values = AnalysisRows.Normal(5, 60);
        var test = new ShapiroWilk(60);
        var plain = P(test, values);
        Assert.Equal(plain, P(test, values.Permuted(1, 2)), 1e-12);
        Assert.Equal(plain, P(test, values.Times(-4)), 1e-9);
        Assert.Equal(plain, P(test, values.Plus(2)), 1e-4);
    }

    [Fact]
    public void Test_OfThreeValues_FollowsTheKnownDistribution()
    {
        // Evenly spaced values have W = 1; two that are equal beside one have W = 3/4, the least there is.
        Assert.Equal(1, P(new ShapiroWilk(3), [1, 2, 3]), 1e-7);
        Assert.Equal(0, P(new ShapiroWilk(3), [1, 1, 5]), 1e-7);
    }

    [Fact]
    public void Test_ValuesWithoutAShape_HaveNoPValue()
    {
        Assert.Equal(double.NaN, P(new ShapiroWilk(4), [2, 2, 2, 2]));
        Assert.Equal(double.NaN, P(new ShapiroWilk(4), [2, 1, float.NaN, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShapiroWilk(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShapiroWilk(5001));
        Assert.Throws<ArgumentException>(() => P(new ShapiroWilk(4), [1, 2, 3]));
    }

    static double P(ShapiroWilk test, float[] values) => test.Test([.. values.Select(value => (double)value)]).P;
}
