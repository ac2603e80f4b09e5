using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Stages;

public sealed class StageStripTests
{
    [Fact]
    public void Of_RowsThatDoNotDivide_CountsEachOnce()
    {
        var all = new RowRange(100, 1100);
        var wanted = RowSet.Of(all).Subtract(new RowRange(300, 310));
        var done = RowSet.Of(new RowRange(100, 300), new RowRange(310, 333));
        var running = TestStages.Rows(400, 432);
        var failed = RowSet.Of(new RowRange(340, 341), new RowRange(1099, 1100));

        var strip = StageStrip.Of(all, 7, wanted, done, running, failed);

        Assert.Equal(7, strip.Length);
        Assert.Equal(
            new StripBin(wanted.Count, done.Count, running.Count, failed.Count),
            strip.Aggregate((a, b) => new(a.Wanted + b.Wanted, a.Done + b.Done, a.Running + b.Running, a.Failed + b.Failed)));
        Assert.Equal(new StripBin(142, 142, 0, 0), strip[0]);
        Assert.Equal(new StripBin(143, 0, 0, 1), strip[^1]);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 3)]
    [InlineData(96, 5)]
    public void Of_CellsThatAreAskedFor_AreNotMoreThanRows(int asked, int made) =>
        Assert.Equal(made, StageStrip.Of(new(10, 15), asked, TestStages.Rows(10, 15), RowSet.Empty, RowSet.Empty, RowSet.Empty).Length);

    [Fact]
    public void Of_CellsThatAreAskedFor_HaveABound() => Assert.Equal(
        StageParts.MostBins,
        StageStrip.Of(new(0, int.MaxValue), 1 << 20, TestStages.Rows(0, int.MaxValue), RowSet.Empty, RowSet.Empty, RowSet.Empty).Length);
}
