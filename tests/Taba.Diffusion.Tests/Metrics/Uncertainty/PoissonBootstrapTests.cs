using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

public sealed class PoissonBootstrapTests
{
    [Fact]
    public void Merge_OfPartsThatWereSaved_IsTheWhole()
    {
        var whole = Of(0, 100);
        var merged = Saved(Of(0, 33));
        merged.Merge(Saved(Of(33, 34)));
        merged.Merge(Saved(Of(34, 100)));
        Assert.Equal(whole.Count, merged.Count);
        for (var value = 0; value < 2; value++)
        {
            Assert.Equal(whole.Mean(value), merged.Mean(value), 1e-12);
            Assert.Equal(whole.Interval(value).Low, merged.Interval(value).Low, 1e-12);
            Assert.Equal(whole.Interval(value).High, merged.Interval(value).High, 1e-12);
        }
    }

    [Fact]
    public void Interval_OfNormals_IsAsWideAsTheirStandardError()
    {
        var bootstrap = new PoissonBootstrap(seed: 1, replicates: 4000);
        var values = Gaussians.White(new(1, 1, 1), 400, 5);
        foreach (var value in values)
            bootstrap.Add(value);
        var error = Math.Sqrt(values.Sum(v => (v - bootstrap.Mean()) * (v - bootstrap.Mean())) / 400 / 400);
        Assert.Equal(2 * 1.96 * error, bootstrap.Interval().High - bootstrap.Interval().Low, 0.1 * error * 4);
        Assert.Equal(bootstrap.Mean(), (bootstrap.Interval().High + bootstrap.Interval().Low) / 2, 0.2 * error);
    }

    [Fact]
    public void Interval_OfTheSameRows_DependsOnTheSeedOnly()
    {
        Assert.Equal(Of(0, 50).Interval(), Of(0, 50).Interval());
        Assert.NotEqual(Of(0, 50).Interval(), Of(0, 50, seed: 8).Interval());
        Assert.NotEqual(Of(0, 50).Interval(1), Of(0, 50).Interval(0));
    }

    [Fact]
    public void Interval_OfOneRowOrNaN_IsNaN()
    {
        Assert.Equal(double.NaN, Of(0, 1).Interval().Low);
        var bootstrap = new PoissonBootstrap();
        bootstrap.Add(1);
        bootstrap.Add(double.NaN);
        Assert.Equal(double.NaN, bootstrap.Interval().High);
    }

    [Fact]
    public void Read_OfSomethingElse_IsRefused()
    {
        Assert.Throws<InvalidDataException>(() => Read([1, 0, 0, 0]));
        Assert.Throws<InvalidDataException>(() => Read([.. Enumerable.Repeat((byte)255, 200)]));
        Assert.Throws<ArgumentException>(() => Of(0, 3).Merge(Of(3, 5, seed: 8)));
    }

    static PoissonBootstrap Of(int start, int end, uint seed = 7)
    {
        var bootstrap = new PoissonBootstrap(2, seed, start, 200);
        for (var row = start; row < end; row++)
            bootstrap.Add(Math.Sin(row), row);
        return bootstrap;
    }

    static PoissonBootstrap Saved(PoissonBootstrap bootstrap)
    {
        using var stream = new MemoryStream();
        bootstrap.Write(new BinaryWriter(stream));
        return Read(stream.ToArray());
    }

    static PoissonBootstrap Read(byte[] bytes) => PoissonBootstrap.Read(new BinaryReader(new MemoryStream(bytes)));
}
