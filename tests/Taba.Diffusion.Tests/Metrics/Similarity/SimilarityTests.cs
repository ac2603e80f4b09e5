using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Similarity;
using static Taba.Diffusion.Tests.Metrics.SavedParts;

namespace Taba.Diffusion.Tests.Metrics.Similarity;

public sealed class SimilarityTests
{
    [Fact]
    public void Compute_OfLinearKernels_IsUpstreams()
    {
        var result = Measure(SimilarityKernel.Linear, Golden.Rows("feats_A"), Golden.Rows("feats_B"));
        AssertRelative(Golden.Scalar("alignment.hsic", "biased"), result.HsicBiased);
        AssertRelative(Golden.Scalar("alignment.hsic", "unbiased"), result.HsicUnbiased);
        AssertRelative(Golden.Scalar("alignment.cka", "ip_unbiased0"), result.CkaBiased);
        AssertRelative(Golden.Scalar("alignment.cka", "ip_unbiased1"), result.CkaUnbiased);
    }

    [Fact]
    public void Compute_OfRbfKernels_IsUpstreams()
    {
        // The fixture was made with σ = 3.
        var result = Measure(SimilarityKernel.Rbf, Golden.Rows("feats_A"), Golden.Rows("feats_B"), sigma: 3);
        AssertRelative(Golden.Scalar("alignment.cka", "rbf_unbiased0"), result.CkaBiased);
        AssertRelative(Golden.Scalar("alignment.cka", "rbf_unbiased1"), result.CkaUnbiased);
    }

    [Theory]
    [InlineData(SimilarityKernel.Linear)]
    [InlineData(SimilarityKernel.Rbf)]
    public void Compute_OfSavedParts_IsTheWhole(SimilarityKernel kernel)
    {
        var (x, y) = (Golden.Rows("feats_A"), Golden.Rows("feats_B"));
        var parts = new[] { (0, 1), (1, 12), (13, 0), (13, 11) }.Select(part =>
        {
            var similarity = new KernelSimilarity(24, kernel);
            similarity.Measure(x, y, part.Item1, part.Item2);
            return similarity;
        }).ToArray();
        var (whole, merged) = (Measure(kernel, x, y), Merged(parts).Compute());
        Assert.Equal(whole.HsicBiased, merged.HsicBiased, 1e-11 * whole.HsicBiased);
        Assert.Equal(whole.CkaBiased, merged.CkaBiased, 1e-12);
        Assert.Equal(whole.CkaUnbiased, merged.CkaUnbiased, 1e-11);
        Assert.Throws<InvalidOperationException>(() => parts[0].Compute());
        AssertRefusesDamage(parts[1]);
    }

    [Fact]
    public void Compute_OfRotatedScaledAndMovedFeatures_IsOne()
    {
        var x = Random(50, 2, 1);
        var values = new float[100];
        x.Read(0, values);
        var turned = values.Chunk(2).SelectMany(pair => new[] { (0.6f * pair[0]) - (0.8f * pair[1]), (0.8f * pair[0]) + (0.6f * pair[1]) })
            .Select(value => (3 * value) + 5).ToArray();
        var result = Measure(SimilarityKernel.Linear, x, new RowsInMemory(turned, 2));
        Assert.Equal(1, result.CkaBiased, 1e-5);
        Assert.Equal(1, result.CkaUnbiased, 1e-5);
    }

    [Fact]
    public void Compute_OfIndependentFeatures_IsUnbiasedAboutZero()
    {
        var result = Measure(SimilarityKernel.Linear, Random(2000, 3, 1), Random(2000, 3, 2));
        Assert.Equal(0, result.CkaUnbiased, 5e-3);
        Assert.True(result.CkaBiased > 0);
    }

    [Fact]
    public void Constructor_OfTooFewRows_SaysSo() =>
        Assert.Contains("4 rows", Assert.Throws<ArgumentException>(
            () => new KernelSimilarity(3, SimilarityKernel.Linear)).Message, StringComparison.Ordinal);

    [Fact]
    public void Svcca_OfManySeeds_HasUpstreamsValueAmongThem()
    {
        // Upstream's is one draw of an unseeded generator from a spectrum that is flat.
        var values = Enumerable.Range(0, 100)
            .Select(seed => Svcca.Compute(Golden.Rows("feats_A"), Golden.Rows("feats_B"), 4, seed: seed)).ToArray();
        var golden = Golden.Scalar("alignment.svcca dim 4 (iterative and randomised, tolerance 1e-2)");
        Assert.InRange(golden, values.Min(), values.Max());
        Assert.Contains(values, value => Math.Abs(value - golden) < 1e-2);
    }

    [Fact]
    public void Svcca_WithManyIterations_IsThatOfTheTrueSingularVectors()
    {
        // By numpy.linalg.svd of the standardised columns.
        Assert.Equal(0.5497734794987634, Svcca.Compute(Golden.Rows("feats_A"), Golden.Rows("feats_B"), 4, iterations: 200), 1e-5);
    }

    [Fact]
    public void Svcca_OfOneSeed_IsOneValue()
    {
        var (x, y) = (Golden.Rows("feats_A"), Golden.Rows("feats_B"));
        Assert.Equal(Svcca.Compute(x, y, 4, seed: 3), Svcca.Compute(x, y, 4, seed: 3));
        Assert.NotEqual(Svcca.Compute(x, y, 4, seed: 3), Svcca.Compute(x, y, 4, seed: 4));
    }

    [Fact]
    public void Svcca_OfMixedFeatures_IsOneAndOfOthersSmall()
    {
        // Three directions in twelve columns: what a subspace of three holds whole.
        var (x, y, z) = (Mixed(1, 1), Mixed(1, 2), Mixed(9, 1));
        Assert.Equal(1, Svcca.Compute(x, y, 3), 1e-4);
        Assert.InRange(Svcca.Compute(x, z, 3), 0, 0.2);
        Assert.Throws<ArgumentException>(() => Svcca.Compute(x, y, 13));
    }

    static RowsInMemory Mixed(int seed, int mixture)
    {
        var source = new float[600 * 3];
        Random(600, 3, seed).Read(0, source);
        var weights = new Random(mixture + 50);
        var matrix = Enumerable.Range(0, 36).Select(_ => (float)(weights.NextDouble() - 0.5)).ToArray();
        return new(source.Chunk(3).SelectMany(row => Enumerable.Range(0, 12).Select(
            column => (row[0] * matrix[column]) + (row[1] * matrix[12 + column]) + (row[2] * matrix[24 + column]))).ToArray(), 12);
    }

    static KernelSimilarities Measure(SimilarityKernel kernel, RowsInMemory x, RowsInMemory y, double sigma = 1)
    {
        var similarity = new KernelSimilarity(x.Rows, kernel, sigma);
        similarity.Measure(x, y, 0, x.Rows);
        return similarity.Compute();
    }

    static RowsInMemory Random(int rows, int length, int seed)
    {
        var random = new Random(seed);
        return new(Enumerable.Range(0, rows * length).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray(), length);
    }

    static void AssertRelative(double expected, double actual) => Assert.Equal(expected, actual, 1e-4 * Math.Abs(expected));
}
