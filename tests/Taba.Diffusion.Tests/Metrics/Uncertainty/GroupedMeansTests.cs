using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

public sealed class GroupedMeansTests
{
    /// <summary>Of a mean the twenty quarters give exactly what the sixteen group means give.</summary>
    [Fact]
    public void StandardError_OfAMean_IsThatOfTheGroupMeans()
    {
        var means = Of(0, 64, 64);
        var groups = Enumerable.Range(0, 16).Select(g => Enumerable.Range(4 * g, 4).Average(Value)).ToList();
        var expected = Math.Sqrt(groups.Sum(g => (g - groups.Average()) * (g - groups.Average())) / 15 / 16);
        Assert.Equal(expected, means.Mean()!.StandardError, 1e-12);
        Assert.Equal(Enumerable.Range(0, 64).Average(Value), means.Mean()!.Value, 1e-12);
    }

    [Fact]
    public void Merge_OfPartsThatWereSaved_IsTheWhole()
    {
        var merged = Of(0, 13, 70);
        using var stream = new MemoryStream();
        Of(13, 70, 70).Write(new BinaryWriter(stream));
        merged.Merge(GroupedMeans.Read(new(new MemoryStream(stream.ToArray()))));
        Assert.All(Of(0, 70, 70).Mean()!.Replicates.Zip(merged.Mean()!.Replicates), r => Assert.Equal(r.First, r.Second, 1e-12));
        Assert.Throws<InvalidDataException>(() => GroupedMeans.Read(new(new MemoryStream(stream.ToArray()[..^1]))));
        Assert.Throws<ArgumentException>(() => merged.Merge(Of(0, 1, 71)));
        Assert.Throws<InvalidOperationException>(() => merged.Add(1));
    }

    [Fact]
    public void Mean_OfTooFewRows_HasNoSpread() => Assert.Null(Of(0, 31, 31).Mean());

    /// <summary>A constant difference between two runs of the same rows is certain, however much rows differ.</summary>
    [Fact]
    public void Minus_OfTheSameRows_LeavesOutWhatTheyShare()
    {
        var (one, other) = (new GroupedMeans(320), new GroupedMeans(320));
        foreach (var (value, small) in Gaussians.White(new(1, 1, 1), 320, 1).Zip(Gaussians.White(new(1, 1, 1), 320, 2)))
        {
            one.Add(value);
            other.Add(value + 0.1 + (0.01 * small));
        }
        var difference = other.Mean()!.Minus(one.Mean()!);
        Assert.True(one.Mean()!.StandardError > 0.03);
        Assert.True(difference.Interval.Holds(0.1));
        Assert.True(difference.StandardError < 0.002);
        Assert.True(difference.PValue < 1e-6);
    }

    static GroupedMeans Of(int start, int end, int rows)
    {
        var means = new GroupedMeans(rows, firstRow: start);
        for (var row = start; row < end; row++)
            means.Add(Value(row));
        return means;
    }

    static double Value(int row) => Math.Sin(row * row);
}
