using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Schedules;

public sealed class TimestepRespacingTests
{
    [Theory]
    [InlineData(1000)]
    [InlineData(4000)]
    [InlineData(97)]
    public void LegalCounts_OfAnyLength_AreExactlyThoseAStrideReaches(int diffusionSteps)
    {
        var reached = Enumerable.Range(1, diffusionSteps - 1)
            .Select(stride => Enumerable.Range(0, diffusionSteps).Count(step => step % stride == 0))
            .ToHashSet();

        Assert.Equal(reached.Order(), TimestepRespacing.LegalCounts(diffusionSteps));
        Assert.All(Enumerable.Range(-1, diffusionSteps + 3), count => Assert.Equal(
            reached.Contains(count), TimestepRespacing.IsLegal(diffusionSteps, count)));
    }

    [Theory]
    [InlineData(4000, 100, 40)]
    [InlineData(1000, 100, 10)]
    [InlineData(1000, 7, 143)]
    [InlineData(1000, 1000, 1)]
    public void Strided_OfALegalCount_TakesTheSmallestStride(int diffusionSteps, int count, int stride) =>
        Assert.Equal(Enumerable.Range(0, count).Select(k => k * stride), TimestepRespacing.Strided(diffusionSteps, count));

    [Theory]
    [InlineData(1000, 300)]
    [InlineData(1000, 1)]
    [InlineData(1000, 1001)]
    [InlineData(1000, 0)]
    public void Strided_OfAnImpossibleCount_NamesItAndItsLegalNeighbours(int diffusionSteps, int count)
    {
        var error = Assert.Throws<ArgumentException>(() => TimestepRespacing.Strided(diffusionSteps, count));
        Assert.Contains($"exactly {count} of {diffusionSteps}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Strided_OfAnImpossibleCount_ListsThreeOnEachSide()
    {
        var error = Assert.Throws<ArgumentException>(() => TimestepRespacing.Strided(1000, 300));
        Assert.Contains("167, 200, 250, 334, 500, 1000", error.Message, StringComparison.Ordinal);
    }
}
