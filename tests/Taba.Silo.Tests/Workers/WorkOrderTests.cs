using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Sweeps;
using Taba.Silo.Workers;

namespace Taba.Silo.Tests.Workers;

public sealed class WorkOrderTests
{
    static readonly TimeSpan s_switchAfter = TimeSpan.FromSeconds(60);

    readonly FakeTimeProvider _time = new();
    readonly WorkOrder _order;

    public WorkOrderTests() => _order = new WorkOrder(_time, s_switchAfter);

    [Fact]
    public void Of_OneSweep_KeepsTheOrderOfItsStages() =>
        Assert.Equal(["c", "b", "a"], Order([Sweep("one", 0, "c:m", "b:m", "a:m")], "m"));

    [Fact]
    public void Of_HigherPriority_ComesFirstEvenWhenItsModelIsNotLoaded() =>
        Assert.Equal(["high", "low"], Order([Sweep("l", 0, "low:warm"), Sweep("h", 5, "high:cold")], "warm"));

    [Fact]
    public void Of_EqualPriorities_TakesTurnsByRows()
    {
        (SweepEntry, ImmutableArray<StageWork>)[] sweeps = [Sweep("x", 0, "x1:m"), Sweep("y", 0, "y1:m")];
        var rows = new Dictionary<string, int> { ["x"] = 0, ["y"] = 0 };
        for (var i = 0; i < 60; i++)
        {
            var next = _order.Of(sweeps, _ => true)[0].SweepId;
            // The parts of one are twice as large: it gets half as many.
            var size = next == "x" ? 32 : 16;
            rows[next] += size;
            _order.Took(next, size);
        }
        Assert.InRange(rows["x"] - rows["y"], -32, 32);
    }

    [Fact]
    public void Of_ASweepThatComesLate_SharesFromNowOn()
    {
        Order([Sweep("old", 0, "o:m")], "m");
        _order.Took("old", 10_000);

        Order([Sweep("old", 0, "o:m"), Sweep("new", 0, "n:m")], "m");
        _order.Took("new", 64);

        Assert.Equal(["o", "n"], Order([Sweep("old", 0, "o:m"), Sweep("new", 0, "n:m")], "m"));
    }

    [Fact]
    public void Of_AModelThatIsNotLoaded_WaitsOnlySoLong()
    {
        (SweepEntry, ImmutableArray<StageWork>)[] sweeps = [Sweep("cold", 0, "c:other"), Sweep("warm", 0, "w:m")];
        Assert.Equal(["w", "c"], Order(sweeps, "m"));
        _order.Took("warm", 64);
        _time.Advance(s_switchAfter - TimeSpan.FromSeconds(1));
        Assert.Equal(["w", "c"], Order(sweeps, "m"));

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(["c", "w"], Order(sweeps, "m"));
    }

    [Fact]
    public void Of_AModelThatWasLoadedAndWentAgain_WaitsAnew()
    {
        (SweepEntry, ImmutableArray<StageWork>)[] sweeps = [Sweep("one", 0, "a:m"), Sweep("two", 0, "b:n")];
        Order(sweeps, "m");
        _time.Advance(s_switchAfter);
        Order(sweeps, "m", "n");
        Order(sweeps, "m");
        _order.Took("one", 64);

        Assert.Equal(["a", "b"], Order(sweeps, "m"));
    }

    [Fact]
    public void Of_PausedSweeps_AreNotAsked() =>
        Assert.Empty(Order([Sweep("paused", 0, "a:m") is var (sweep, work) ? (sweep with { Paused = true }, work) : default], "m"));

    [Fact]
    public void Of_StagesWithoutSteps_NeedNoModelOfTheEngine() =>
        Assert.Equal(["decode", "cold"], Order([Sweep("one", 0, "cold:other", "decode:")], "m"));

    List<string> Order((SweepEntry, ImmutableArray<StageWork>)[] sweeps, params string[] loaded) =>
        [.. _order.Of(sweeps, loaded.Contains).Select(s => s.Stage.Key)];

    /// <summary>Stages as <c>key:engine</c>.</summary>
    static (SweepEntry, ImmutableArray<StageWork>) Sweep(string id, int priority, params string[] stages) =>
    (
        new SweepEntry(id, id, priority, Paused: false, DateTimeOffset.UnixEpoch, Ended: null, EndedAt: null),
        [.. stages.Select(s => s.Split(':')).Select(s => new StageWork(s[0], s[1].Length > 0) { Engine = s[1].Length > 0 ? s[1] : null })]
    );
}
