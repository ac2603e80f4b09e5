using MathNet.Numerics.Distributions;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Randomness;
using static Taba.Diffusion.Tests.Metrics.SavedParts;

namespace Taba.Diffusion.Tests.Metrics.Features;

public sealed class FeatureDistanceTests
{
    [Fact]
    public void FrechetDistance_OfFeatures_IsUpstreams()
    {
        var (one, two) = (Moments(Golden.Doubles("fid_feats1"), 24), Moments(Golden.Doubles("fid_feats2"), 24));
        var expected = Golden.Scalar("fid", "frechet(feats1,feats2)");
        Assert.Equal(expected, FrechetDistance.Between(one, two), 1e-6 * expected);
        Assert.Equal(0, FrechetDistance.Between(one, one), 1e-12);
    }

    [Fact]
    public void FrechetDistance_OfFewerRowsThanFeatures_IsUpstreams()
    {
        var one = Moments(Golden.Doubles("fid_feats1")[..240], 24);
        var expected = Golden.Scalar("fid", "frechet(feats1[:10],feats2) rank deficient");
        Assert.Equal(expected, FrechetDistance.Between(one, Moments(Golden.Doubles("fid_feats2"), 24)), 1e-3 * expected);
        Assert.Equal(0, FrechetDistance.Between(one, one), 1e-12);
    }

    [Fact]
    public void FrechetDistance_OfDiagonalGaussians_IsTheClosedForm()
    {
        const int D = 7;
        var (meanA, meanB, a, b) = (new double[D], new double[D], new double[D * D], new double[D * D]);
        var expected = 0.0;
        for (var i = 0; i < D; i++)
        {
            // The last of each has no extent at all.
            var (sigmaA, sigmaB) = (i == 6 ? 0 : 0.5 + i, i == 5 ? 0 : 3.0 / (i + 1));
            (meanA[i], meanB[i]) = (i, 2 - i);
            (a[(i * D) + i], b[(i * D) + i]) = (sigmaA * sigmaA, sigmaB * sigmaB);
            expected += Math.Pow(meanA[i] - meanB[i], 2) + Math.Pow(sigmaA - sigmaB, 2);
        }

        Assert.Equal(expected, FrechetDistance.Between(meanA, a, meanB, b), 1e-12 * expected);
    }

    [Fact]
    public void FrechetDistance_OfTenThousandRandomVectors_IsNearTheClosedForm()
    {
        // N(0, 1) against N(0.3, 2²) in 32 dimensions; a sample's covariance adds about D²/N times the deviations' mean.
        const int N = 10_240, D = 32;
        var (a, b) = (new GaussianMoments(D), new GaussianMoments(D));
        var random = new MathNet.Numerics.Random.MersenneTwister(1);
        var row = new double[256 * D];
        for (var i = 0; i < N; i += 256)
        {
            Normal.Samples(random, row, 0, 1);
            a.Add(row.Select(value => (float)value).ToArray());
            Normal.Samples(random, row, 0.3, 2);
            b.Add(row.Select(value => (float)value).ToArray());
        }

        var expected = D * (0.09 + 1);
        Assert.Equal(expected, FrechetDistance.Between(a, b), 0.02 * expected);
        Assert.Equal(0.3, b.Mean[3], 0.1);
        Assert.Equal(4, b.Covariance()[0], 0.3);
    }

    [Fact]
    public void FrechetDistance_OfARotationOfBoth_IsTheSame()
    {
        var (one, two) = (Golden.Doubles("fid_feats1"), Golden.Doubles("fid_feats2"));
        var plain = FrechetDistance.Between(Moments(one, 24), Moments(two, 24));
        var turned = FrechetDistance.Between(Moments(Turned(one), 24), Moments(Turned(two), 24));
        Assert.Equal(plain, turned, 1e-5 * plain);

        // Two coordinates of each row are turned, the others change their places.
        static float[] Turned(float[] rows) => [.. rows.Chunk(24).SelectMany(row =>
            row.Skip(2).Reverse().Append((0.6f * row[0]) - (0.8f * row[1])).Append((0.8f * row[0]) + (0.6f * row[1])))];
    }

    [Fact]
    public void FrechetDistance_OfNoNumberOrTooFew_SaysSo()
    {
        Assert.Equal(double.NaN, FrechetDistance.Between([0], [double.NaN], [0], [1]));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between([0], [1, 2], [0], [1]));
        Assert.Contains("two rows", Assert.Throws<ArgumentException>(
            () => FrechetDistance.Between(Moments([1, 2], 2), Moments([1, 2, 3, 4], 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GaussianMoments_OfSavedParts_AreTheWhole()
    {
        var rows = Golden.Doubles("fid_feats1").Select(value => value + 1000).ToArray();
        var whole = Moments(rows, 24);
        var merged = Merged(
            Moments(rows[..24], 24), Moments([], 24), Moments(rows[24..(24 * 41)], 24), Moments(rows[(24 * 41)..], 24));
        Assert.Equal(60, merged.Count);
        for (var i = 0; i < 24; i++)
            Assert.Equal(whole.Mean[i], merged.Mean[i], 1e-12 * Math.Abs(whole.Mean[i]));
        foreach (var (expected, actual) in whole.Covariance().Zip(merged.Covariance()))
            Assert.Equal(expected, actual, 1e-11);
        AssertRefusesDamage(whole);
    }

    [Fact]
    public void KernelDistance_OfTheSameDistribution_IsAboutZeroAndOfOthersNot()
    {
        var (a, b, c) = (Normals(1100, 4, 1, 0), Normals(1200, 4, 2, 0), Normals(1100, 4, 3, 0.5));
        var same = Kid(a, b);
        Assert.Equal(0, same.Mean, 0.05);
        Assert.True(Kid(a, c).Mean > 0.3);
    }

    [Fact]
    public void KernelDistance_IsThatOfPlainLoopsOverNumpysSubsets()
    {
        var (a, b) = (Normals(60, 3, 1, 0), Normals(50, 3, 2, 0.4));
        var distance = new KernelDistance(subsets: 5, subsetSize: 20);
        distance.Measure(a, b, 0, 5);

        var random = new NumpyRandomState(2020);
        var expected = Enumerable.Range(0, 5).Select(_ =>
        {
            var (x, y) = (Pick(a, random.PermutationHead(60, 20)), Pick(b, random.PermutationHead(50, 20)));
            return ((Sum(x, x, true) + Sum(y, y, true)) / (20 * 19)) - (2 * Sum(x, y, false) / 400);
        }).ToArray();

        Assert.Equal(expected.Average(), distance.Compute().Mean, 1e-12);
        Assert.Equal(
            Math.Sqrt(expected.Average(value => Math.Pow(value - expected.Average(), 2))), distance.Compute().Std, 1e-12);

        static float[][] Pick(RowsInMemory rows, long[] which) => [.. which.Select(i =>
        {
            var row = new float[rows.RowLength];
            rows.Read(i, row);
            return row;
        })];

        static double Sum(float[][] x, float[][] y, bool without) => (
            from i in Enumerable.Range(0, 20)
            from j in Enumerable.Range(0, 20)
            where !without || i != j
            select Math.Pow((x[i].Zip(y[j], (p, q) => (double)p * q).Sum() / 3) + 1, 3)).Sum();
    }

    [Fact]
    public void KernelDistance_OfSavedParts_IsTheWhole()
    {
        var (a, b) = (Normals(60, 3, 1, 0), Normals(50, 3, 2, 0.4));
        var parts = new[] { (0, 2), (2, 7), (9, 1) }.Select(part =>
        {
            var distance = new KernelDistance(10, 20);
            distance.Measure(a, b, part.Item1, part.Item2);
            return distance;
        }).ToArray();
        var whole = new KernelDistance(10, 20);
        whole.Measure(a, b, 0, 10);
        Assert.Equal(whole.Compute(), Merged(parts).Compute());
        Assert.Throws<InvalidOperationException>(() => parts[1].Compute());
        AssertRefusesDamage(whole);
    }

    [Fact]
    public void KernelDistance_OfFewerRowsThanASubset_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => Kid(Normals(999, 2, 1, 0), Normals(1000, 2, 2, 0)));
        Assert.Contains("subsets of 1000 rows; the reference has 999", error.Message, StringComparison.Ordinal);
    }

    static MeanStd Kid(IRowAccess reference, IRowAccess generated)
    {
        var distance = new KernelDistance(subsets: 10);
        distance.Measure(reference, generated, 0, 10);
        return distance.Compute();
    }

    static RowsInMemory Normals(int rows, int length, int seed, double mean)
    {
        var values = new double[rows * length];
        Normal.Samples(new MathNet.Numerics.Random.MersenneTwister(seed), values, mean, 1);
        return new(values.Select(value => (float)value).ToArray(), length);
    }

    static GaussianMoments Moments(float[] rows, int dimensions)
    {
        var moments = new GaussianMoments(dimensions);
        moments.Add(rows);
        return moments;
    }
}
