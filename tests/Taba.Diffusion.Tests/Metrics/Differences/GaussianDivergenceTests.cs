using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Differences;

namespace Taba.Diffusion.Tests.Metrics.Differences;

public sealed class GaussianDivergenceTests
{
    const int Length = 1500;
    static readonly StateShape s_shape = new(1, 50, 30);

    [Fact]
    public void Compute_OfGaussians_IsTheirDivergence()
    {
        // KL(N(0.5, 0.6²) ‖ N(0, 1)).
        var expected = 0.5 * (0.36 + 0.25 - 1 - Math.Log(0.36));
        var value = Of(AnalysisRows.Normal(1, 800 * Length, 0.5, 0.6), AnalysisRows.Normal(2, 800 * Length));
        Assert.Equal(expected, value.Whole, 0.005);

        // Each pixel's moments are estimates from 800 rows, which adds about 1/800 and more.
        Assert.Equal(expected, value.PerPixel, 0.01);
    }

    [Fact]
    public void Compute_OfPixelsThatDiffer_SeesWhatTheWholeDoesNot()
    {
        // A pattern of the means: equal values altogether, other values at each pixel.
        float[] Pattern(int seed, int sign) =>
            [.. AnalysisRows.Normal(seed, 400 * Length).Select((value, i) => value + (sign * (i % 2 == 0 ? 1 : -1)))];

        var value = Of(Pattern(1, 1), Pattern(2, -1));
        Assert.Equal(0, value.Whole, 0.001);
        Assert.Equal(2, value.PerPixel, 0.05);
    }

    [Fact]
    public void Compute_Whole_IsThatOfTheMomentsOfAllValues()
    {
        var (a, b) = (AnalysisRows.Normal(1, 7 * Length, 3, 2), AnalysisRows.Normal(2, 7 * Length));
        var (first, second) = (new MomentsAccumulator(), new MomentsAccumulator());
        first.Add(a);
        second.Add(b);
        var value = Of(a, b);
        AnalysisRows.Close(first.Value.Std, value.First.Std);
        AnalysisRows.Close(KlDivergence.Between(first.Value, second.Value), value.Whole, 1e-11);
        AnalysisRows.Close(value.PerPixel, Of(a.Permuted(Length, 2), b.Permuted(Length, 9)).PerPixel, 1e-11);
        AnalysisRows.Close(value.PerPixel, Of(a.Times(2), b.Times(2)).PerPixel, 1e-5);
    }

    [Fact]
    public void Compute_InParts_IsThatOfTheWhole()
    {
        var (a, b) = (AnalysisRows.Normal(1, 9 * Length), AnalysisRows.Normal(2, 9 * Length));
        AnalysisRows.EqualInParts(
            9,
            _ => new GaussianDivergence(s_shape),
            (analysis, first, count) => analysis.Add(a.Rows(Length, first, count), b.Rows(Length, first, count)),
            (whole, merged) =>
            {
                Assert.Equal(whole.Compute().First.Count, merged.Compute().First.Count);
                AnalysisRows.Close(whole.Compute().Whole, merged.Compute().Whole);
                AnalysisRows.Close(whole.Compute().PerPixel, merged.Compute().PerPixel);
            });
    }

    static GaussianDivergenceSummary Of(float[] a, float[] b)
    {
        var divergence = new GaussianDivergence(s_shape);
        divergence.Add(a, b);
        return divergence.Compute();
    }
}
