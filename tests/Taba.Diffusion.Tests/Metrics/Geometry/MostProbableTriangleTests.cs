using Taba.Diffusion.Metrics.Geometry;

namespace Taba.Diffusion.Tests.Metrics.Geometry;

public sealed class MostProbableTriangleTests
{
    const int Length = 30;
    static readonly StateShape s_shape = new(1, 5, 6);

    [Theory]
    [InlineData(1000, 178)]
    [InlineData(300, 40)]
    [InlineData(300, 12)]
    [InlineData(200, 3)]
    public void Find_RandomHistograms_IsWhatTheExhaustiveSearchFinds(int histograms, int filled)
    {
        var random = new Random(filled);
        var found = 0;
        for (var i = 0; i < histograms / 20; i++)
        {
            // Few distinct shares: products are often equal, and the first one must win.
            var (latent, sample, noise) = (Histogram(random, filled), Histogram(random, filled), Histogram(random, filled));
            var triangle = MostProbableTriangle.Find(latent, sample, noise);
            Assert.Equal(Exhaustive(latent, sample, noise), triangle);
            found += triangle is null ? 0 : 1;
        }

        Assert.True(filled < 10 || found > 0);
    }

    [Fact]
    public void Find_NoTriangleWithASampleAtEachCorner_IsNone()
    {
        var (one, other) = (new double[178], new double[178]);
        one[99] = 1;
        other[99] = 1;
        Assert.Null(MostProbableTriangle.Find(one, other, one));
        Assert.Null(new MostProbableTriangle(s_shape).Compute());
        Assert.Throws<ArgumentException>(() => MostProbableTriangle.Find(one, other, [1]));
    }

    [Fact]
    public void Compute_KnownTriangles_IsTheMostFrequentOne()
    {
        // Two triangles of 90.5, 60.2, 29.3 degrees and one of 45.5, 45.1, 89.4; whole degrees are lower edges of bins.
        var analysis = new MostProbableTriangle(new StateShape(1, 1, 2));
        foreach (var (atSample, atNoise) in new[] { (90.5, 60.2), (45.5, 45.1), (90.5, 60.2) })
        {
            var angle = double.DegreesToRadians(atSample);
            var length = Math.Sin(double.DegreesToRadians(atNoise)) / Math.Sin(double.DegreesToRadians(180 - atSample - atNoise));
            analysis.Add([1, 0], [0, 0], [(float)(length * Math.Cos(angle)), (float)(length * Math.Sin(angle))]);
        }

        Assert.Equal((2, 1), (analysis.AtSample[89], analysis.AtSample[44]));
        Assert.Equal((2, 1), (analysis.AtNoise[59], analysis.AtNoise[44]));
        Assert.Equal((2, 1), (analysis.AtLatent[28], analysis.AtLatent[88]));

        // Lower edges of 90, 60 and 29 degrees sum to 179, of which upstream's rule makes no triangle.
        Assert.Null(analysis.Compute());
    }

    [Fact]
    public void Counts_InPartsAndPermuted_AreThoseOfTheWhole()
    {
        var (noise, samples) = (AnalysisRows.Normal(1, 40 * Length), AnalysisRows.Normal(2, 40 * Length));
        var latents = noise.Plus(AnalysisRows.Normal(3, 40 * Length, deviation: 0.5));
        AnalysisRows.EqualInParts(
            40,
            _ => new MostProbableTriangle(s_shape),
            (analysis, first, count) => analysis.Add(
                noise.Rows(Length, first, count), samples.Rows(Length, first, count), latents.Rows(Length, first, count)),
            Same);

        var (whole, permuted) = (new MostProbableTriangle(s_shape), new MostProbableTriangle(s_shape));
        whole.Add(noise, samples, latents);
        permuted.Add(noise.Permuted(Length, 3), samples.Permuted(Length, 3), latents.Permuted(Length, 3));
        Same(whole, permuted);
        Assert.Equal(40, whole.AtNoise.Sum());
        Assert.NotNull(whole.Compute());

        static void Same(MostProbableTriangle expected, MostProbableTriangle actual)
        {
            Assert.Equal(expected.AtLatent, actual.AtLatent);
            Assert.Equal(expected.AtSample, actual.AtSample);
            Assert.Equal(expected.AtNoise, actual.AtNoise);
            Assert.Equal(expected.Compute(), actual.Compute());
        }
    }

    [Fact]
    public void Add_ATriangleWithoutASide_CountsNowhere()
    {
        var analysis = new MostProbableTriangle(new StateShape(1, 1, 2));
        analysis.Add([1, 0], [0, 0], [1, 0]);
        Assert.Equal(0, analysis.AtSample.Concat(analysis.AtNoise).Concat(analysis.AtLatent).Sum());
    }

    /// <summary>Every pair of latent's and sample's edges, and the noise's looked for among all edges.</summary>
    static Triangle? Exhaustive(double[] latent, double[] sample, double[] noise)
    {
        Triangle? best = null;
        var edges = Enumerable.Range(1, 179).ToArray();
        foreach (var a in edges)
        {
            foreach (var b in edges)
            {
                var bin = Array.IndexOf(edges, 180 - a - b);
                if (bin < 0)
                    continue;
                var product = latent[a - 1] * sample[b - 1] * noise[bin];
                if (product > (best?.Probability ?? 0))
                    best = new(a, b, edges[bin], product);
            }
        }

        return best;
    }

    static double[] Histogram(Random random, int filled)
    {
        var counts = new double[178];
        for (var i = 0; i < filled; i++)
            counts[random.Next(178)] += random.Next(1, 4);
        var sum = counts.Sum();
        return [.. counts.Select(count => count / sum)];
    }
}
