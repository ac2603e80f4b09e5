using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

public sealed class RowGroupsTests
{
    [Fact]
    public void LeavesOut_EveryTwoGroups_AreLeftOutTogetherOnce()
    {
        var lines = Enumerable.Range(0, RowGroups.LineCount).ToList();
        var groups = Enumerable.Range(0, RowGroups.Count).ToList();
        Assert.All(lines, line => Assert.Equal(4, groups.Count(g => RowGroups.LeavesOut(line, g))));
        Assert.All(
            groups.SelectMany(a => groups.Where(b => b > a).Select(b => (A: a, B: b))),
            pair => Assert.Single(lines, line => RowGroups.LeavesOut(line, pair.A) && RowGroups.LeavesOut(line, pair.B)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(1001)]
    public void End_OfEachGroup_IsWhereTheNextBegins(long rows)
    {
        for (long row = 0; row < rows; row++)
        {
            var group = RowGroups.Of(row, rows);
            Assert.InRange(group, 0, RowGroups.Count - 1);
            Assert.True(row < RowGroups.End(group, rows));
            Assert.True(row + 1 == rows || (RowGroups.Of(row + 1, rows) > group) == (row + 1 == RowGroups.End(group, rows)));
        }
    }
}
