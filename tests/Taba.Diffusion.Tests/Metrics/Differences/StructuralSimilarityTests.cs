using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Differences;

namespace Taba.Diffusion.Tests.Metrics.Differences;

public sealed class StructuralSimilarityTests
{
    const int Length = 2 * 11 * 9;
    static readonly StateShape s_shape = new(2, 11, 9);

    [Fact]
    public void Value_OfEqualAndOfFlatImages_IsKnown()
    {
        var image = AnalysisRows.Normal(1, Length);
        Assert.Equal(1, Of(image, image).Mean, 1e-9);

        // Flat images have no variance: what is left is the term of the means.
        var (a, b) = (Enumerable.Repeat(0.25f, Length).ToArray(), Enumerable.Repeat(0.75f, Length).ToArray());
        Assert.Equal(((2 * 0.25 * 0.75) + 1e-4) / (0.0625 + 0.5625 + 1e-4), Of(a, b).Mean, 1e-12);
    }

    [Fact]
    public void Value_OfOneWindow_IsThatOfTheFormula()
    {
        var shape = new StateShape(1, 7, 7);
        var (x, y) = (AnalysisRows.Normal(1, 49, 0.2), AnalysisRows.Normal(2, 49, 0.4, 0.5));
        var similarity = new StructuralSimilarity(shape, dataRange: 2);
        similarity.Add(x, y);

        var (meanX, meanY) = (x.Average(v => (double)v), y.Average(v => (double)v));
        var varianceX = x.Sum(v => (v - meanX) * (v - meanX)) / 48;
        var varianceY = y.Sum(v => (v - meanY) * (v - meanY)) / 48;
        var covariance = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / 48;
        Assert.Equal(
            ((2 * meanX * meanY) + 4e-4) * ((2 * covariance) + 36e-4)
            / (((meanX * meanX) + (meanY * meanY) + 4e-4) * (varianceX + varianceY + 36e-4)),
            similarity.Value.Mean,
            1e-10);
    }

    [Fact]
    public void Value_SwappedPermutedAndScaledWithItsRange_IsTheSame()
    {
        var (a, b) = (AnalysisRows.Normal(1, 6 * Length), AnalysisRows.Normal(2, 6 * Length));
        b = b.Plus(a);
        var value = Of(a, b);
        AnalysisRows.Close(value.Mean, Of(b, a).Mean, 1e-10);
        AnalysisRows.Close(value.Std, Of(a.Permuted(Length, 4), b.Permuted(Length, 4)).Std, 1e-10);
        AnalysisRows.Close(value.Mean, Of(a.Times(2), b.Times(2), 2).Mean, 1e-10);
        Assert.NotEqual(value.Mean, Of(a.Times(2), b.Times(2)).Mean, 1e-5);
    }

    [Fact]
    public void Value_InParts_IsThatOfTheWhole()
    {
        var (a, b) = (AnalysisRows.Normal(1, 9 * Length), AnalysisRows.Normal(2, 9 * Length));
        AnalysisRows.EqualInParts(
            9,
            _ => new StructuralSimilarity(s_shape),
            (analysis, first, count) => analysis.Add(a.Rows(Length, first, count), b.Rows(Length, first, count)),
            (whole, merged) =>
            {
                AnalysisRows.Close(whole.Value.Mean, merged.Value.Mean);
                AnalysisRows.Close(whole.Value.Std, merged.Value.Std);
            });
    }

    [Fact]
    public void Constructor_ImagesSmallerThanAWindow_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new StructuralSimilarity(new StateShape(3, 6, 64)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StructuralSimilarity(s_shape, double.NaN));
    }

    static MeanStd Of(float[] a, float[] b, double dataRange = 1)
    {
        var similarity = new StructuralSimilarity(s_shape, dataRange);
        similarity.Add(a, b);
        return similarity.Value;
    }
}
