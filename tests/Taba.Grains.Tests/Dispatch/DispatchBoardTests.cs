using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Dispatch;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Dispatch;

public sealed class DispatchBoardTests
{
    static readonly TimeSpan s_switchAfter = TimeSpan.FromSeconds(60);
    static readonly Guid s_activation = Guid.NewGuid();

    readonly FakeTimeProvider _time = new();
    readonly DispatchBoard _board;
    long _version;

    public DispatchBoardTests() => _board = new(_time);

    [Fact]
    public void Choose_OneSweep_TakesTheDeepestStageThatIsReady()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 0, 32));
        Offer("b", "m", new OfferedRows("one", 1, 32));
        Offer("c", "m", new OfferedRows("one", 2, 0));

        Assert.Equal(["b", "a", null], Chosen(Ask("m"), 3));
    }

    [Fact]
    public void Choose_HigherPriority_ComesFirstEvenWhenItsModelIsNotLoaded()
    {
        Live(Sweep("low"), Sweep("high", priority: 5));
        Offer("l", "warm", new OfferedRows("low", 0, 64));
        Offer("h", "cold", new OfferedRows("high", 0, 32));

        Assert.Equal(["h", "l"], Chosen(Ask("warm"), 2));
    }

    [Fact]
    public void Choose_PausedSweep_IsNotServedAlsoWhereAStageIsShared()
    {
        Live(Sweep("paused") with { Paused = true }, Sweep("runs"));
        Offer("shared", "m", new OfferedRows("paused", 0, 1024), new OfferedRows("runs", 0, 32));

        Assert.Equal("runs", _board.Choose(Ask("m"))!.SweepId);
        Assert.Null(_board.Choose(Ask("m")));

        Live(Sweep("paused"), Sweep("runs"));
        Assert.Equal("paused", _board.Choose(Ask("m"))!.SweepId);
    }

    [Fact]
    public void Choose_SweepThatDoesNotLive_IsNotServed()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("gone", 0, 32));
        Assert.Null(_board.Choose(Ask("m")));
    }

    [Fact]
    public void Choose_EqualPriorities_ShareTheDevicesTimeNotTheRows()
    {
        Live(Sweep("long"), Sweep("short"));
        // A row of one takes ten times as many evaluations, and each of them twice as long.
        Offer("l", "large", 100, new OfferedRows("long", 0, int.MaxValue / 2));
        Offer("s", "small", 10, new OfferedRows("short", 0, int.MaxValue / 2));
        var ask = Ask() with { Loaded = [new("large", 0.2), new("small", 0.1)] };
        var rows = new Dictionary<string, int> { ["long"] = 0, ["short"] = 0 };
        for (var i = 0; i < 2100; i++)
        {
            var choice = _board.Choose(ask)!;
            rows[choice.SweepId] += 32;
            _board.Took(choice, 32);
        }
        Assert.InRange((double)rows["short"] / rows["long"], 19.5, 20.5);
    }

    [Fact]
    public void Choose_ASweepThatComesLate_SharesFromNowOn()
    {
        Live(Sweep("old"));
        Offer("o", "m", new OfferedRows("old", 0, 100_000));
        for (var i = 0; i < 100; i++)
            _board.Took(_board.Choose(Ask("m"))!, 32);
        Live(Sweep("old"), Sweep("new"));
        Offer("n", "m", new OfferedRows("new", 0, 100_000));

        var chosen = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            var choice = _board.Choose(Ask("m"))!;
            _board.Took(choice, 32);
            chosen.Add(choice.SweepId);
        }
        Assert.Equal(3, chosen.Count(s => s == "new"));
    }

    [Fact]
    public void Choose_AModelThatIsNotLoaded_WaitsOnlySoLong()
    {
        Live(Sweep("cold"), Sweep("warm"));
        Offer("c", "other", new OfferedRows("cold", 0, 1024));
        Offer("w", "m", new OfferedRows("warm", 0, 100_000));
        Assert.Equal("w", Took(Ask("m")));
        _time.Advance(s_switchAfter - TimeSpan.FromSeconds(1));
        Assert.Equal("w", Took(Ask("m")));

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("c", Took(Ask("m")));
    }

    [Fact]
    public void Choose_AModelThatWasLoadedAndWentAgain_WaitsAnew()
    {
        Live(Sweep("one"), Sweep("two"));
        Offer("a", "m", new OfferedRows("one", 0, 100_000));
        Offer("b", "n", new OfferedRows("two", 0, 100_000));
        Took(Ask("m"));
        _time.Advance(s_switchAfter);
        Took(Ask("m", "n"));

        Assert.Equal("a", Took(Ask("m")));
    }

    [Fact]
    public void Choose_RowsThatTheWorkerHasTheInputsOf_ComeFirstAlsoWhenTheStageHasNotHeardOfThem()
    {
        Live(Sweep("one"));
        Offer("sample", "m", new OfferedRows("one", 0, 1000));
        Take(new(Work("invert", "m", 10), Next(), ["sample"], [new("one", 1, 0)]));
        Offer("deepest", "m", new OfferedRows("one", 9, 32));

        var choice = _board.Choose(Ask("m") with { Fresh = new("sample", 64) })!;

        Assert.Equal(("invert", 64), (choice.Stage.Offer.Work.Key, choice.FreshRow));
    }

    [Fact]
    public void Choose_StageHadNothingForAWorker_IsNotAskedAgainForItBeforeItSaysSomethingNew()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 0, 32));
        _board.FoundNothing(_board.Choose(Ask("m"))!, Ask("m"));
        Assert.Null(_board.Choose(Ask("m")));
        Assert.NotNull(_board.Choose(Ask("m") with { Worker = "another" }));
        Offer("a", "m", new OfferedRows("one", 0, 32));
        Assert.NotNull(_board.Choose(Ask("m")));
    }

    [Fact]
    public void Choose_WorkerThatHoldsNothing_TakesSuspectRowsBeforeAllOthers()
    {
        Live(Sweep("busy"), Sweep("one"));
        Offer("deep", "m", new OfferedRows("busy", 3, 1000));
        Offer("a", "m", new OfferedRows("one", 0, 0) { Suspect = 4 });

        Assert.Equal(("a", "one"), (_board.Choose(Ask("m"))!.Stage.Offer.Work.Key, _board.Choose(Ask("m"))!.SweepId));
        // One that takes its question back, or has no device for it, does not.
        Assert.Null(_board.Choose(Ask("m") with { Rows = 0, AutoencoderParts = 0 }));
    }

    [Fact]
    public void Choose_NobodyHoldsNothing_OneWorkerRunsEmptyForSuspectRows()
    {
        Live(Sweep("busy"), Sweep("one"));
        Offer("endless", "m", new OfferedRows("busy", 0, 1000));
        Offer("a", "m", new OfferedRows("one", 0, 0) { Suspect = 4 });
        Offer("b", "m", new OfferedRows("one", 0, 0) { Suspect = 4 });

        Assert.Null(ChosenBy("w1", held: 32));
        Assert.Equal("endless", ChosenBy("w2", held: 32));
        Assert.Null(ChosenBy("w1", held: 8));
        Assert.Equal("a", ChosenBy("w1", held: 0));
        // The rows are out with it: it is the same one that takes the next.
        Assert.Equal("endless", ChosenBy("w2", held: 8));
        Offer("a", "m", new OfferedRows("one", 0, 0));
        Offer("b", "m", new OfferedRows("one", 0, 0));
        Assert.Equal("endless", ChosenBy("w1", held: 0));
    }

    [Fact]
    public void Choose_WorkerRanEmptyInVain_AnotherOneDoes()
    {
        Live(Sweep("busy"), Sweep("one"));
        Offer("endless", "m", new OfferedRows("busy", 0, 1000));
        Offer("a", "m", new OfferedRows("one", 0, 0) { Suspect = 4 });
        Assert.Null(ChosenBy("w1", held: 32));
        var empty = Ask("m") with { Worker = "w1" };
        _board.FoundNothing(_board.Choose(empty)!, empty);

        Assert.Equal("endless", ChosenBy("w1", held: 0));
        Assert.Null(ChosenBy("w2", held: 32));
        // It is gone.
        Assert.Equal("endless", ChosenBy("w3", held: 32));
        _board.ForgetWorkers(worker => worker != "w2");
        Assert.Null(ChosenBy("w3", held: 32));
        // What it holds takes too long.
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(ChosenBy("w4", held: 32));
    }

    [Fact]
    public void Choose_WorkerThatAStageHasWait_DoesNotRunEmptyForIt()
    {
        Live(Sweep("busy"), Sweep("one"));
        Offer("endless", "m", new OfferedRows("busy", 0, 1000));
        Take(new StageOffer(Work("a", "m", 10), Next(), [], [new OfferedRows("one", 0, 0) { Suspect = 4 }])
        {
            Pauses = [new("w1", TimeSpan.FromMinutes(1))],
        });

        Assert.Equal("endless", ChosenBy("w1", held: 32));
        Assert.Null(ChosenBy("w2", held: 32));
    }

    [Fact]
    public void Choose_SuspectRowsOfALowerPriority_KeepNobodyFromAHigherOne()
    {
        Live(Sweep("one"), Sweep("high", priority: 5));
        Offer("a", "m", new OfferedRows("one", 0, 0) { Suspect = 4 });
        Offer("h", "m", new OfferedRows("high", 0, 64));

        Assert.Equal("h", ChosenBy("w1", held: 0));
        Assert.Null(ChosenBy("w1", held: 32));
        Offer("h", "m", new OfferedRows("high", 0, 64));
        Assert.Equal("h", ChosenBy("w1", held: 32));
        // It has other things to do.
        Assert.Null(ChosenBy("w2", held: 32));
    }

    [Fact]
    public void Choose_StageThatFails_IsLeftAloneForEachTimeTwiceAsLong()
    {
        Live(Sweep("one"));
        Offer("bad", "m", new OfferedRows("one", 1, 32));
        Offer("good", "m", new OfferedRows("one", 0, 1_000_000));
        var pauses = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            var choice = _board.Choose(Ask("m"))!;
            Assert.Equal("bad", choice.Stage.Offer.Work.Key);
            // It speaks, and does not answer: that does not count.
            Offer("bad", "m", new OfferedRows("one", 1, 32));
            choice = _board.Choose(Ask("m"))!;
            pauses.Add(_board.Failed(choice).TotalSeconds);
            Assert.Equal("good", _board.Choose(Ask("m"))!.Stage.Offer.Work.Key);
            _time.Advance(TimeSpan.FromSeconds(pauses[^1]));
        }
        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], pauses);
    }

    [Fact]
    public void Choose_WorkerThatTheStagePauses_IsServedByOthersMeanwhile()
    {
        Live(Sweep("one"));
        Take(new(Work("a", "m", 10), Next(), [], [new("one", 0, 320)]) { Pauses = [new("worker", TimeSpan.FromSeconds(4))] });
        Assert.Null(_board.Choose(Ask("m")));
        Assert.NotNull(_board.Choose(Ask("m") with { Worker = "another" }));

        _time.Advance(TimeSpan.FromSeconds(4));

        Assert.NotNull(_board.Choose(Ask("m")));
    }

    [Fact]
    public void Choose_WhatIsChosen_IsNotChosenForAnother()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 0, 64));
        var first = _board.Choose(Ask("m"))!;
        Assert.Null(_board.Choose(Ask("m") with { Worker = "another" }));

        _board.Took(first, 32);

        Assert.NotNull(_board.Choose(Ask("m") with { Worker = "another" }));
    }

    [Fact]
    public void Choose_StagesWithoutSteps_NeedRoomOfAnAutoencoderAndNoEngine()
    {
        Live(Sweep("one"));
        Take(new(new("decode", HasSteps: false), Next(), [], [new("one", 1, 32)]));
        Assert.Null(_board.Choose(Ask("m") with { AutoencoderParts = 0 }));
        Assert.Equal("decode", _board.Choose(Ask("m") with { Rows = 0 })!.Stage.Offer.Work.Key);
    }

    [Fact]
    public void Choose_StageThatHadNothingReady_IsChosenAsSoonAsItHas()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 0, 0));
        Assert.Null(_board.Choose(Ask("m")));
        Offer("a", "m", new OfferedRows("one", 0, 32));
        var all = _board.Choose(Ask("m"))!;
        Assert.Null(_board.Choose(Ask("m")));

        // Half of what was reserved was not taken.
        _board.Took(all, 16);

        Assert.Equal(16, _board.Choose(Ask("m"))!.Reserved);
    }

    [Fact]
    public void Take_AnOlderOffer_IsLeftAside()
    {
        Live(Sweep("one"));
        var old = new StageOffer(Work("a", "m", 10), Next(), [], []);
        Offer("a", "m", new OfferedRows("one", 0, 32));

        Assert.False(_board.Take(old));

        Assert.NotNull(_board.Choose(Ask("m")));
    }

    [Fact]
    public void Forget_SilentStage_IsNotAskedAnyMore()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 0, 32));
        _time.Advance(DispatchBoard.ForgetAfter + TimeSpan.FromSeconds(1));
        _board.Forget();
        Assert.Null(_board.Choose(Ask("m")));
    }

    [Fact]
    public void Refuse_ModelThatAWorkerCannotServe_IsToldOnce()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 0, 32));
        var ask = Ask("m") with { Refused = [new("model of a", "another digest")] };

        Assert.Null(_board.Choose(ask));
        Assert.Equal(("a", "another digest"), Assert.Single(_board.Refuse(ask)));
        Offer("a", "m", new OfferedRows("one", 0, 64));
        Assert.Empty(_board.Refuse(ask));
    }

    [Fact]
    public void Refuse_OneStageOfAModel_LeavesTheOthersOfTheModel()
    {
        Live(Sweep("one"));
        Offer("a", "m", new OfferedRows("one", 1, 32));
        Offer("b", "m", new OfferedRows("one", 0, 32));
        var ask = Ask("m") with { Refused = [new("a", "another version")] };

        Assert.Equal(("a", "another version"), Assert.Single(_board.Refuse(ask)));
        Assert.Equal("b", _board.Choose(ask)?.Stage.Offer.Work.Key);
    }

    string? Took(WorkAsk ask)
    {
        var choice = _board.Choose(ask);
        if (choice is not null)
            _board.Took(choice, 32);
        return choice?.Stage.Offer.Work.Key;
    }

    List<string?> Chosen(WorkAsk ask, int times) => [.. Enumerable.Range(0, times).Select(_ => _board.Choose(ask)?.Stage.Offer.Work.Key)];

    void Live(params ReadOnlySpan<SweepEntry> sweeps) => _board.Take([.. sweeps]);

    void Offer(string key, string engine, params ImmutableArray<OfferedRows> rows) => Offer(key, engine, 10, rows);

    void Offer(string key, string engine, int evaluations, params ImmutableArray<OfferedRows> rows) =>
        Take(new(Work(key, engine, evaluations), Next(), [], rows));

    void Take(StageOffer offer) => Assert.Equal(offer.Rows.Any(r => r.Ready + r.Suspect > 0), _board.Take(offer));

    string? ChosenBy(string worker, int held) =>
        _board.Choose(Ask("m") with { Worker = worker, Held = held })?.Stage.Offer.Work.Key;

    NewsVersion Next() => new(s_activation, ++_version);

    static StageWork Work(string key, string engine, int evaluations) =>
        new(key, HasSteps: true) { Engine = engine, Model = $"model of {key}", EvaluationsPerRow = evaluations };

    static SweepEntry Sweep(string id, int priority = 0) =>
        new(id, id, priority, Paused: false, DateTimeOffset.UnixEpoch, Ended: null, EndedAt: null);

    static WorkAsk Ask(params ImmutableArray<string> loaded) => new("worker", 1, 64, 1)
    {
        Loaded = [.. loaded.Select(engine => new ResidentEngine(engine, 0))],
        SwitchAfter = s_switchAfter,
    };
}
