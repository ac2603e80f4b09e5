using MathNet.Numerics.Distributions;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Normality;

namespace Taba.Diffusion.Tests.Metrics.Normality;

public sealed class QuantilePlotTests
{
    const int Length = 1000;
    static readonly StateShape s_shape = new(1, 50, 20);

    [Fact]
    public void Compute_OfGaussians_IsALine()
    {
        var summary = Of(AnalysisRows.Normal(1, 400 * Length), AnalysisRows.Normal(2, 400 * Length, 0.25, 0.5), 41);
        Assert.Equal(0.5, summary.Slope, 0.005);
        Assert.Equal(0.25, summary.Intercept, 0.005);
        for (var i = 0; i < 41; i++)
        {
            var expected = Normal.InvCDF(0, 1, summary.Shares[i]);
            Assert.Equal(expected, summary.Noise[i], 0.03);
            Assert.Equal(summary.Intercept + (summary.Slope * summary.Noise[i]), summary.Latents[i], 0.03);
        }
    }

    [Fact]
    public void Compute_Quantiles_AreThoseOfTheSortedValues()
    {
        var values = AnalysisRows.Normal(3, 20 * Length, 1, 100);
        var summary = Of(values, values.Times(-1), 200);
        var sorted = values.Order().ToArray();
        for (var i = 0; i < 200; i++)
        {
            var rank = summary.Shares[i] * (sorted.Length - 1);
            var (below, above) = ((double)sorted[(int)rank], (double)sorted[(int)rank + 1]);

            // A bin's width, and the step to the next value where they lie apart.
            var tolerance = (above - below) + (Math.Abs(below) / 1024) + 1e-6;
            Assert.Equal(below + ((rank - (int)rank) * (above - below)), summary.Noise[i], tolerance);
            Assert.Equal(-summary.Noise[i], summary.Latents[199 - i], tolerance);
        }

        Assert.True(summary.Noise.Zip(summary.Noise.Skip(1)).All(pair => pair.First <= pair.Second));
    }

    [Fact]
    public void Compute_FewValues_LieBetweenThem()
    {
        var summary = Of(new float[Length], [.. Enumerable.Range(0, Length).Select(i => i < Length / 2 ? -1f : 1f)], 4);
        Assert.All(summary.Noise, value => Assert.Equal(0, value, 1e-30));
        Assert.Equal([-1, -1, 1, 1], summary.Latents.Select(value => Math.Round(value, 2)));
        Assert.All(new QuantilePlot(s_shape, 3).Compute().Noise, value => Assert.Equal(double.NaN, value));
    }

    [Fact]
    public void Compute_InPartsAndPermuted_IsThatOfTheWhole()
    {
        var (noise, latents) = (AnalysisRows.Normal(1, 9 * Length), AnalysisRows.Normal(2, 9 * Length, -3, 0.1));
        AnalysisRows.EqualInParts(
            9,
            _ => new QuantilePlot(s_shape),
            (analysis, first, count) => analysis.Add(noise.Rows(Length, first, count), latents.Rows(Length, first, count)),
            (whole, merged) => Same(whole.Compute(), merged.Compute()));
        Same(Of(noise, latents, 100), Of(noise.Permuted(Length, 1), latents.Permuted(Length, 2), 100));

        static void Same(QuantilePlotSummary expected, QuantilePlotSummary actual)
        {
            // Counts make the quantiles: they are equal to the last bit.
            Assert.Equal(expected.Noise, actual.Noise);
            Assert.Equal(expected.Latents, actual.Latents);
            AnalysisRows.Close(expected.LatentMoments.Mean, actual.LatentMoments.Mean);
            AnalysisRows.Close(expected.Slope, actual.Slope);
        }
    }

    [Fact]
    public void Moments_OfTheLine_AreThoseOfAllValues()
    {
        var (noise, latents) = (AnalysisRows.Normal(1, 5 * Length), AnalysisRows.Normal(2, 5 * Length, -300, 0.1));
        var moments = new MomentsAccumulator();
        moments.Add(latents);
        var summary = Of(noise, latents, 2);
        AnalysisRows.Close(moments.Value.Mean, summary.LatentMoments.Mean);
        AnalysisRows.Close(moments.Value.Std, summary.LatentMoments.Std, 1e-10);
        Assert.Equal(5 * Length, summary.NoiseMoments.Count);
        Assert.Throws<ArgumentException>(() => new QuantilePlot(s_shape, 3).Merge(new QuantilePlot(s_shape, 4)));
    }

    static QuantilePlotSummary Of(float[] noise, float[] latents, int points)
    {
        var plot = new QuantilePlot(s_shape, points);
        plot.Add(noise, latents);
        return plot.Compute();
    }
}
