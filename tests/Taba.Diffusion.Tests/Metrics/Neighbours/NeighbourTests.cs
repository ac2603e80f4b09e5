using System.Runtime.InteropServices;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Neighbours;
using static Taba.Diffusion.Tests.Metrics.SavedParts;

namespace Taba.Diffusion.Tests.Metrics.Neighbours;

public sealed class NeighbourTests
{
    [Theory]
    [InlineData(1, "top1")]
    [InlineData(3, "top3")]
    public void NearestPartners_OfOneDivision_AreUpstreams(int topK, string name)
    {
        var partners = new NearestPartners(32, divisions: 1, topK);
        partners.Measure(Golden.Rows("noise"), Golden.Rows("mix"), 0, 32);
        var accuracy = partners.Compute();
        const string Group = "distance_classification (paper release commit 9460535)";
        Assert.Equal(Golden.Scalar(Group, name, "closest_noise_to_sample_acc"), accuracy.NoiseOfSample.Mean);
        Assert.Equal(Golden.Scalar(Group, name, "closest_sample_to_noise_acc"), accuracy.SampleOfNoise.Mean);
        Assert.Equal(double.NaN, accuracy.NoiseOfSample.Std);
    }

    [Fact]
    public void NearestRows_AreUpstreamsWithTheirDistances()
    {
        var found = NearestRows.Find(Golden.Rows("mix"), 0, 32, Golden.Rows("noise"));
        var closest = MemoryMarshal.Cast<byte, long>(Golden.Output("distance_classification.closest_noise_for_mix"));
        var distances = MemoryMarshal.Cast<byte, float>(Golden.Output("distance_classification.distances"));
        for (var i = 0; i < 32; i++)
        {
            Assert.Equal(closest[i], found[i].Row);
            Assert.Equal(distances[(i * 32) + (int)closest[i]], found[i].MeanSquaredDifference, 1e-5 * found[i].MeanSquaredDifference);
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void NearestPartners_OfDivisions_AreThoseOfAPlainLoop(int topK, bool keepRest)
    {
        var (noise, samples) = (Random(43, 6, 1), Related(43, 6, 1, 0.8f));
        var expected = Enumerable.Range(0, 4).Select(division =>
        {
            var (from, to) = keepRest ? (division * 43 / 4, (division + 1) * 43 / 4) : (division * 10, (division + 1) * 10);
            return Enumerable.Range(from, to - from).Average(i =>
                Enumerable.Range(from, to - from).OrderBy(j => Distance(samples, i, noise, j)).Take(topK).Contains(i) ? 1.0 : 0);
        }).ToArray();

        var partners = new NearestPartners(43, 4, topK, keepRest);
        partners.Measure(noise, samples, 0, 43);
        var accuracy = partners.Compute();

        Assert.Equal(expected.Average(), accuracy.NoiseOfSample.Mean, 1e-15);
        var variance = expected.Sum(value => Math.Pow(value - expected.Average(), 2)) / 3;
        Assert.Equal(Math.Sqrt(variance), accuracy.NoiseOfSample.Std, 1e-15);
        Assert.True(variance > 0);
    }

    [Fact]
    public void NearestPartners_OfSavedParts_AreTheWhole()
    {
        var (noise, samples) = (Random(43, 6, 1), Related(43, 6, 1, 0.8f));
        var whole = new NearestPartners(43, 4);
        whole.Measure(noise, samples, 0, 43);
        var parts = new[] { (0, 3), (3, 19), (22, 0), (22, 21) }.Select(part =>
        {
            var partners = new NearestPartners(43, 4);
            partners.Measure(noise, samples, part.Item1, part.Item2);
            return partners;
        }).ToArray();
        Assert.Equal(whole.Compute(), Merged(parts).Compute());
        Assert.Throws<InvalidOperationException>(() => parts[0].Compute());
        AssertRefusesDamage(whole);
    }

    [Fact]
    public void NearestPartners_OfTheSamplesThemselves_AreAllFound()
    {
        var noise = Random(64, 5, 3);
        var partners = new NearestPartners(64);
        partners.Measure(noise, noise, 0, 64);
        Assert.Equal(new PartnerAccuracy(new MeanStd(1, 0), new MeanStd(1, 0)), partners.Compute());
    }

    [Fact]
    public void NearestPartners_OfUnrelatedRows_AreFoundByChance()
    {
        var partners = new NearestPartners(800, 8, topK: 10);
        partners.Measure(Random(800, 16, 1), Random(800, 16, 2), 0, 800);
        Assert.Equal(0.1, partners.Compute().NoiseOfSample.Mean, 0.05);
    }

    [Fact]
    public void NearestPartners_OfTooFewRows_SaySo() =>
        Assert.Contains("8 divisions", Assert.Throws<ArgumentException>(() => new NearestPartners(7)).Message, StringComparison.Ordinal);

    [Fact]
    public void NeighbourOverlap_IsThatOfAPlainLoop()
    {
        var (a, b) = (Random(70, 6, 1), Related(70, 6, 1, 0.7f));
        var common = Enumerable.Range(0, 70).Select(i => (double)Of(a, i).Intersect(Of(b, i)).Count()).ToArray();

        var overlap = new NeighbourOverlap(70, 9);
        overlap.Measure(a, b, 0, 70);

        Assert.Equal(common.Average(), overlap.Compute().Mean, 1e-12);
        Assert.Equal(
            Math.Sqrt(common.Average(value => Math.Pow(value - common.Average(), 2))), overlap.Compute().Std, 1e-12);

        static IEnumerable<int> Of(IRowAccess set, int i) =>
            Enumerable.Range(0, 70).Where(j => j != i).OrderBy(j => Distance(set, i, set, j)).Take(9);
    }

    [Fact]
    public void NeighbourOverlap_OfSavedParts_IsTheWhole()
    {
        var (a, b) = (Random(70, 6, 1), Related(70, 6, 1, 0.7f));
        var parts = new[] { (0, 1), (1, 40), (41, 29) }.Select(part =>
        {
            var overlap = new NeighbourOverlap(70);
            overlap.Measure(a, b, part.Item1, part.Item2);
            return overlap;
        }).ToArray();
        var whole = new NeighbourOverlap(70);
        whole.Measure(a, b, 0, 70);
        Assert.Equal(whole.Compute(), Merged(parts).Compute());
        Assert.Throws<InvalidOperationException>(() => parts[1].Compute());
        AssertRefusesDamage(whole);
    }

    [Fact]
    public void NeighbourOverlap_OfASetMovedAndScaled_IsAllOfIt()
    {
        var a = Random(120, 4, 1);
        var values = new float[120 * 4];
        a.Read(0, values);
        var overlap = new NeighbourOverlap(120);
        overlap.Measure(a, new RowsInMemory(values.Select(value => (8 * value) + 0.25f).ToArray(), 4), 0, 120);
        Assert.Equal(new MeanStd(50, 0), overlap.Compute());
    }

    [Fact]
    public void NeighbourOverlap_OfTooFewRows_SaysSo() =>
        Assert.Contains("these are 50", Assert.Throws<ArgumentException>(() => new NeighbourOverlap(50)).Message, StringComparison.Ordinal);

    [Fact]
    public void Find_OfRowsLargerThanABlock_IsThatOfAPlainLoop()
    {
        // 5,000 rows are more than one block of queries and of candidates has.
        var (a, b) = (Random(2100, 3, 5), Random(2500, 3, 6));
        var found = NearestRows.Find(a, 1000, 1100, b);
        for (var i = 0; i < 1100; i += 97)
            Assert.Equal(Enumerable.Range(0, 2500).MinBy(j => Distance(a, 1000 + i, b, j)), found[i].Row);
    }

    static RowsInMemory Random(int rows, int length, int seed)
    {
        var random = new Random(seed);
        return new(Enumerable.Range(0, rows * length).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray(), length);
    }

    // The rows of a seed, with a share of other ones.
    static RowsInMemory Related(int rows, int length, int seed, float share)
    {
        var (own, other) = (new float[rows * length], new float[rows * length]);
        Random(rows, length, seed).Read(0, own);
        Random(rows, length, seed + 100).Read(0, other);
        return new(own.Zip(other, (a, b) => ((1 - share) * a) + (share * b)).ToArray(), length);
    }

    static double Distance(IRowAccess a, int i, IRowAccess b, int j)
    {
        var (x, y) = (new float[a.RowLength], new float[b.RowLength]);
        a.Read(i, x);
        b.Read(j, y);
        return x.Zip(y, (p, q) => Math.Pow((double)p - q, 2)).Sum();
    }
}
