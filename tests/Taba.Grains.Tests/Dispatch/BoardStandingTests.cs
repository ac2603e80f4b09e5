using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Dispatch;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Dispatch;

public sealed class BoardStandingTests
{
    readonly FakeTimeProvider _time = new();
    readonly DispatchBoard _board;
    readonly VainAsks _inVain;
    long _version;

    public BoardStandingTests() => (_board, _inVain) = (new(_time), new(_time));

    [Fact]
    public void Standing_WorkerWhoseSlotsAreFull_DoesNotWaitForRows()
    {
        _inVain.Asks(new("full", 1, 0, 2), inVain: true);
        _inVain.Asks(new("free", 1, 64, 2), inVain: true);
        _time.Advance(TimeSpan.FromSeconds(3));
        _inVain.Asks(new("free", 2, 32, 0), inVain: false);

        var standing = Ask([], "full", "free");

        Assert.Equal((1, 1), (standing.WorkersWaiting, standing.WorkersWaitingForParts));
        Assert.Equal([null, TimeSpan.FromSeconds(3)], standing.Workers.Select(w => w.Waits));
        _inVain.Ended("free");
        Assert.Equal(0, Ask([]).WorkersWaiting);
    }

    [Fact]
    public void Standing_SweepOfHigherPriorityWithReadyRows_GoesFirst()
    {
        _board.Take([Sweep("low"), Sweep("high", 5), Sweep("highest", 9), Sweep("paused", 10) with { Paused = true }]);
        Offer("l", new OfferedRows("low", 0, 32));
        Offer("h", new OfferedRows("high", 0, 64), new OfferedRows("paused", 0, 64));
        Offer("t", new OfferedRows("highest", 0, 0));

        var standing = Ask(["low", "high", "gone"]);

        // One that has nothing ready, or is paused, is in nobody's way.
        Assert.Equal(
            [new SweepStanding("low", 0, false, 32, "name of high"), new SweepStanding("high", 5, false, 64, null)],
            standing.Sweeps.AsEnumerable());
        Assert.Equal((4, 1, 96), (standing.SweepsLive, standing.SweepsPaused, standing.RowsReady));
    }

    [Fact]
    public void Standing_PausesOfAWorker_SayWhereWhyAndHowLongStill()
    {
        _board.Take([Sweep("one")]);
        Offer("a", [new("worker", TimeSpan.FromSeconds(20)) { Reason = "the disk is full" }], new OfferedRows("one", 0, 32));
        Offer("b", [new("another", TimeSpan.FromSeconds(20)) { Reason = "it died" }], new OfferedRows("one", 0, 32));
        _time.Advance(TimeSpan.FromSeconds(5));

        var worker = Assert.Single(Ask([], "worker").Workers);

        Assert.Equal(new StagePause("a", "sample T=10", "the disk is full", TimeSpan.FromSeconds(15)), Assert.Single(worker.Pauses));
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.Empty(Ask([], "worker").Workers.Single().Pauses);
    }

    [Fact]
    public void Standing_StageThatGaveNoAnswer_IsNamedToItsSweepsUntilItDoes()
    {
        _board.Take([Sweep("one"), Sweep("two")]);
        Offer("a", new OfferedRows("one", 0, 32));
        var choice = _board.Choose(new("worker", 1, 64, 1))!;
        _board.Failed(choice, "the store is away", ofStore: true);

        Assert.Equal(new StageSilence("a", "the store is away", true, TimeSpan.FromSeconds(1)), Assert.Single(Ask(["one"]).Silent));
        Assert.Empty(Ask(["two"]).Silent);

        _time.Advance(TimeSpan.FromSeconds(1));
        _board.Took(_board.Choose(new("worker", 2, 64, 1))!, 32);
        Assert.Empty(Ask(["one"]).Silent);
    }

    [Fact]
    public void Standing_MoreThanAnAnswerHolds_IsCut()
    {
        var sweeps = Enumerable.Range(0, 1000).Select(i => Sweep($"s{i}")).ToImmutableArray();
        _board.Take(sweeps);
        for (var i = 0; i < 50; i++)
            Offer($"stage-{i}", [new("w0", TimeSpan.FromSeconds(20))], new OfferedRows($"s{i}", 0, 1));

        var standing = Ask([.. sweeps.Select(s => s.SweepId)], [.. Enumerable.Range(0, 1000).Select(i => $"w{i}")]);

        Assert.Equal((DispatchStanding.Most, DispatchStanding.Most), (standing.Sweeps.Length, standing.Workers.Length));
        Assert.Equal(DispatchStanding.MostOfEach, standing.Workers.Single(w => w.Worker == "w0").Pauses.Length);
    }

    DispatchStanding Ask(ImmutableArray<string> sweeps, params ImmutableArray<string> workers) =>
        _board.Standing(new(sweeps, workers), _ => true, _inVain);

    void Offer(string key, params ImmutableArray<OfferedRows> rows) => Offer(key, [], rows);

    void Offer(string key, ImmutableArray<WorkerPause> pauses, params ImmutableArray<OfferedRows> rows) =>
        _board.Take(new StageOffer(new(key, HasSteps: true) { Name = "sample T=10" }, new(default, ++_version), [], rows)
        {
            Pauses = pauses,
        });

    static SweepEntry Sweep(string id, int priority = 0) =>
        new(id, $"name of {id}", priority, Paused: false, DateTimeOffset.UnixEpoch, Ended: null, EndedAt: null);
}
