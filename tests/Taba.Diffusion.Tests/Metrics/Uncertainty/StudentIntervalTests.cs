using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

public sealed class StudentIntervalTests
{
    /// <summary>By hand: mean 2, deviation 1, t of 2 degrees 4.302653.</summary>
    [Fact]
    public void Of_ThreeValues_IsStudents()
    {
        var found = StudentInterval.Of([1, 2, 3]);
        Assert.Equal(2, found.Mean);
        Assert.Equal(2 - 4.302653 / Math.Sqrt(3), found.Interval!.Value.Low, 1e-5);
        Assert.Equal(2 + 4.302653 / Math.Sqrt(3), found.Interval!.Value.High, 1e-5);
        Assert.Equal(0.0741799, found.PValue!.Value, 1e-6);
    }

    [Fact]
    public void Of_OneValue_HasNoInterval()
    {
        Assert.Null(StudentInterval.Of([1]).Interval);
        Assert.Equal(double.NaN, StudentInterval.Of([]).Mean);
    }

    [Fact]
    public void OfPairs_IsThatOfTheirDifferences()
    {
        Assert.Equal(StudentInterval.Of([1, 2, 3]), StudentInterval.OfPairs([11, 22, 33], [10, 20, 30]));
        Assert.Throws<ArgumentException>(() => StudentInterval.OfPairs([1], [1, 2]));
    }
}
