using Taba.Diffusion.Engine;
using Taba.Silo.Engines;

namespace Taba.Silo.Tests.Engines;

public sealed class SegmentPaceTests
{
    static EngineStatistics After(int turns, double secondsPerTurn, int slotsInUse = 16, int batchLimit = 16) => new()
    {
        Turns = turns,
        NetworkTime = TimeSpan.FromSeconds(turns * secondsPerTurn),
        SlotsInUse = slotsInUse,
        BatchLimit = batchLimit,
        Evaluations = 0,
        PaddedRows = 0,
        SwappedSteps = 0,
        OutOfMemory = 0,
        Completed = 0,
        Failed = 0,
        OverheadTime = TimeSpan.Zero,
        OutputWaitTime = TimeSpan.Zero,
        LingerTime = TimeSpan.Zero,
        FirstPassAt = 0,
        LastPassAt = 0,
        Slots = 32,
        Pending = 0,
        OutputQueue = 0,
    };

    [Theory]
    [InlineData(0.5, 16, 20)]
    [InlineData(0.5, 32, 10)]
    [InlineData(0.5, 8, 20)]
    [InlineData(4, 16, 2)]
    [InlineData(60, 32, 1)]
    [InlineData(0.000001, 16, SegmentPace.MostSteps)]
    public void Steps_OfAMeasuredEngine_TakeAboutTheTimeThatIsWanted(double secondsPerTurn, int slotsInUse, int steps) =>
        Assert.Equal(steps, new SegmentPace(TimeSpan.FromSeconds(10)).Steps(After(32, secondsPerTurn, slotsInUse)));

    [Fact]
    public void Steps_BeforeTheFirstTurn_IsOne() => Assert.Equal(1, new SegmentPace(TimeSpan.FromSeconds(10)).Steps(After(0, 1)));

    [Fact]
    public void Steps_AfterTheDeviceBecameSlower_FollowIt()
    {
        var pace = new SegmentPace(TimeSpan.FromSeconds(10));
        Assert.Equal(100, pace.Steps(After(16, 0.1)));
        var later = After(16, 0.1) with { Turns = 32, NetworkTime = TimeSpan.FromSeconds(16 * 0.1 + 16) };
        Assert.Equal(10, pace.Steps(later));
        // A few turns more are no measurement.
        Assert.Equal(10, pace.Steps(later with { Turns = 33, NetworkTime = later.NetworkTime + TimeSpan.FromSeconds(60) }));
    }
}
