using Taba.Diffusion.Metrics.Differences;

namespace Taba.Diffusion.Tests.Metrics.Differences;

public sealed class PairErrorsTests
{
    const int Length = 3 * 20 * 20;
    static readonly StateShape s_shape = new(3, 20, 20);

    [Fact]
    public void Value_OfKnownDifferences_IsKnown()
    {
        var errors = new PairErrors(new StateShape(1, 2, 2), peak: 1);
        errors.Add([1, 1, 1, 1, 0, 0, 0, 0], [2, 0, 2, 0, 0, 0, 0, 4]);
        var value = errors.Value;
        Assert.Equal(2, value.Rows);
        Assert.Equal(1, value.Absolute);
        Assert.Equal(2.5, value.Squared);
        Assert.Equal(3, value.Distance.Mean);
        Assert.Equal(Math.Sqrt(2), value.Distance.Std, 1e-15);
        Assert.Equal(10 * Math.Log10(1 / 2.0), value.SignalToNoise.Mean, 1e-12);
        Assert.Equal(10 * Math.Log10(2.0), value.SignalToNoise.Std, 1e-12);
    }

    [Fact]
    public void Value_OfEqualRows_IsOpenCvsFinitePeak()
    {
        var rows = AnalysisRows.Normal(1, 2 * Length);
        Assert.Equal(361.20, Of(rows, rows).SignalToNoise.Mean, 0.01);
        Assert.Equal(0, Of(rows, rows).Absolute);
    }

    [Fact]
    public void Value_OfIndependentGaussians_IsThatOfTheirDifference()
    {
        // a - b has variance 1 + 0.5² here: E|a - b| = σ√(2/π).
        var value = Of(AnalysisRows.Normal(1, 200 * Length), AnalysisRows.Normal(2, 200 * Length, deviation: 0.5));
        Assert.Equal(Math.Sqrt(1.25 * 2 / Math.PI), value.Absolute, 0.005);
        Assert.Equal(1.25, value.Squared, 0.01);
        Assert.Equal(Math.Sqrt(1.25 * Length), value.Distance.Mean, 0.1);
    }

    [Fact]
    public void Value_PermutedScaledAndSwapped_Follows()
    {
        var (a, b) = (AnalysisRows.Normal(1, 8 * Length), AnalysisRows.Normal(2, 8 * Length));
        var value = Of(a, b);
        var (permuted, scaled) = (Of(b.Permuted(Length, 1), a.Permuted(Length, 1)), Of(a.Times(2), b.Times(2)));
        AnalysisRows.Close(value.Distance.Std, permuted.Distance.Std);
        AnalysisRows.Close(value.Absolute, permuted.Absolute);
        AnalysisRows.Close(2 * value.Absolute, scaled.Absolute);
        AnalysisRows.Close(4 * value.Squared, scaled.Squared);
        AnalysisRows.Close(value.SignalToNoise.Mean - (20 * Math.Log10(2)), scaled.SignalToNoise.Mean);
    }

    [Fact]
    public void Value_InParts_IsThatOfTheWhole()
    {
        var (a, b) = (AnalysisRows.Normal(1, 9 * Length), AnalysisRows.Normal(2, 9 * Length));
        AnalysisRows.EqualInParts(
            9,
            _ => new PairErrors(s_shape),
            (errors, first, count) => errors.Add(a.Rows(Length, first, count), b.Rows(Length, first, count)),
            (whole, merged) =>
            {
                Assert.Equal(whole.Value.Rows, merged.Value.Rows);
                AnalysisRows.Close(whole.Value.Absolute, merged.Value.Absolute);
                AnalysisRows.Close(whole.Value.Squared, merged.Value.Squared);
                AnalysisRows.Close(whole.Value.Distance.Mean, merged.Value.Distance.Mean);
                AnalysisRows.Close(whole.Value.Distance.Std, merged.Value.Distance.Std);
                AnalysisRows.Close(whole.Value.SignalToNoise.Std, merged.Value.SignalToNoise.Std);
            });
    }

    [Fact]
    public void Merge_OfAnotherPeak_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new PairErrors(s_shape).Merge(new PairErrors(s_shape, 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PairErrors(s_shape, 0));
    }

    static PairErrorsSummary Of(float[] a, float[] b)
    {
        var errors = new PairErrors(s_shape);
        errors.Add(a, b);
        return errors.Value;
    }
}
