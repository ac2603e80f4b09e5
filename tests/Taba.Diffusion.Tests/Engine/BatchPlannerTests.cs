using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Engine;

public sealed class BatchPlannerTests
{
    static Trajectory Ready(int seed, SwapKind? swap = null, bool rowAtHand = false, bool segment = true)
    {
        var trajectory = new Trajectory(seed, new TrajectoryRequest
        {
            Schedule = new ToySchedule(4), Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(seed),
            Observer = new RecordingObserver(),
            Swap = swap, SwapBefore = 1, SwapRow = _ => Rows.Make(1),
        });
        if (segment)
            trajectory.AddSegment(4);
        if (rowAtHand)
            trajectory.SwapRows.Enqueue(Rows.Make(1));
        return trajectory;
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 6)]
    [InlineData(9, 12)]
    [InlineData(13, 16)]
    [InlineData(17, 20)]
    [InlineData(20, 20)]
    public void Bucket_DefaultShapes_NextLarger(int rows, int expected) =>
        Assert.Equal(expected, new BatchPlanner(new EngineOptions { BatchSize = 20 }).Bucket(rows));

    [Fact]
    public void Bucket_Deterministic_AlwaysThePinnedShape()
    {
        var planner = new BatchPlanner(new EngineOptions { BatchSize = 3, Deterministic = true, DeterministicBatch = 16 });
        for (var rows = 1; rows <= 16; rows++)
            Assert.Equal(16, planner.Bucket(rows));
    }

    [Fact]
    public void Bucket_AnyLimit_HoldsTheRowsAndStaysWithinTheLimit()
    {
        for (var limit = 1; limit <= 130; limit++)
        {
            var planner = new BatchPlanner(new EngineOptions { BatchSize = limit });
            for (var rows = 1; rows <= limit; rows++)
                Assert.InRange(planner.Bucket(rows), rows, Math.Min(limit, Math.Max(rows, (int)Math.Ceiling(1.5 * rows))));
        }
    }

    [Fact]
    public void LowerLimit_Repeatedly_HalvesDownToOne()
    {
        var planner = new BatchPlanner(new EngineOptions { BatchSize = 12 });
        var limits = new List<int>();
        while (planner.LowerLimit(planner.Bucket(planner.Limit)))
            limits.Add(planner.Limit);
        Assert.Equal([6, 3, 1], limits);
        Assert.Equal(1, planner.Bucket(1));
    }

    [Fact]
    public void LowerLimit_Deterministic_Refuses() =>
        Assert.False(new BatchPlanner(new EngineOptions { Deterministic = true }).LowerLimit(16));

    [Fact]
    public void Pick_MoreReadyThanTheLimit_TakesTheOldest()
    {
        var planner = new BatchPlanner(new EngineOptions { BatchSize = 2 });
        List<Trajectory> active = [Ready(1, segment: false), Ready(2), Ready(3), Ready(4)];
        List<Trajectory> network = [], eps = [], xt = [];
        planner.Pick(active, network, eps, xt);
        Assert.Equal([2L, 3L], network.Select(t => t.Index));
    }

    [Fact]
    public void Pick_SwapRows_OnlyThoseAtHandAndAllOfThem()
    {
        var planner = new BatchPlanner(new EngineOptions { BatchSize = 1 });
        List<Trajectory> active =
        [
            Ready(1, SwapKind.Eps, rowAtHand: true), Ready(2, SwapKind.Eps), Ready(3, SwapKind.Xt, rowAtHand: true),
            Ready(4, SwapKind.Eps, rowAtHand: true), Ready(5),
        ];
        List<Trajectory> network = [], eps = [], xt = [];
        planner.Pick(active, network, eps, xt);
        Assert.Equal([5L], network.Select(t => t.Index));
        Assert.Equal([1L, 4L], eps.Select(t => t.Index));
        Assert.Equal([3L], xt.Select(t => t.Index));
    }

    [Fact]
    public void Occupy_AfterRelease_LowestFreeSlotInOrderOfAdmission()
    {
        var table = new SlotTable();
        table.Provide(3);
        Trajectory[] trajectories = [Ready(1), Ready(2), Ready(3), Ready(4)];
        foreach (var trajectory in trajectories[..3])
            table.Occupy(trajectory);
        Assert.False(table.HasFree);
        table.Release(trajectories[1]);
        table.Release(trajectories[0]);
        table.Occupy(trajectories[3]);
        Assert.Equal(0, trajectories[3].Slot);
        Assert.Equal([3L, 4L], table.Active.Select(t => t.Index));
    }

    [Fact]
    public void Limit_ThatWasRemembered_IsTheFirstOneUnlessTheShapeIsPinned()
    {
        Assert.Equal(6, new BatchPlanner(new EngineOptions { BatchSize = 16, BatchLimit = 6 }).Limit);
        Assert.Equal(16, new BatchPlanner(new EngineOptions { BatchSize = 16, BatchLimit = 64 }).Limit);
        Assert.Equal(16, new BatchPlanner(new EngineOptions { BatchSize = 16, BatchLimit = 6, Deterministic = true }).Limit);
        var planner = new BatchPlanner(new EngineOptions { BatchSize = 16, BatchLimit = 6 });
        Assert.Equal(6, planner.Bucket(5));
        Assert.True(planner.LowerLimit(6));
        Assert.Equal(3, planner.Limit);
    }
}
