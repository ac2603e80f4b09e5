using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Grains.Tests.Words;

/// <summary>What happened to stages, as the difference between what they say and what is known of them.</summary>
public sealed class SweepNewsTests
{
    static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    ImmutableArray<StageSeen> _seen = [];

    [Fact]
    public void Of_ALifeOfAStage_TellsEachThingOnce()
    {
        var stage = Stage();
        Assert.Empty(Told(stage));

        stage = stage with { Pauses = [new("gpu-3", "a", "no space left", 1, TimeSpan.FromSeconds(1))] };
        Assert.Equal(["host gpu-3 failed at sample T=10: no space left"], Told(stage));
        stage = stage with { Pauses = [new("gpu-3", "a", "no space left", 4, TimeSpan.FromSeconds(16))] };
        Assert.Empty(Told(stage));
        stage = stage with { Pauses = [] };
        Assert.Equal(["host gpu-3 gets parts of sample T=10 again when it asks"], Told(stage));

        stage = stage with { RowsFailed = 2, Failures = [new("key", 3, 1, "NaN"), new("key", 4, 1, "killed")] };
        Assert.Equal(["2 samples of sample T=10 given up: killed"], Told(stage));
        stage = stage with { RowsFailed = 3 };
        Assert.Equal(["1 sample of sample T=10 given up: killed"], Told(stage));

        Assert.Equal(["sample T=10 does not answer: timed out"], Told(stage with { Silence = "timed out" }));
        Assert.Empty(Told(stage with { Silence = "timed out again" }));
        Assert.Equal(["sample T=10 answers again"], Told(stage));

        stage = stage with { Refusals = [new("w2", "another model")], Fault = "no silo has the model" };
        Assert.Equal(
            ["silo w2 does not work on it: another model", "nothing goes on, and it is tried again: no silo has the model"], Told(stage));
        Assert.Empty(Told(stage));

        stage = stage with { Refusals = [], Fault = null, Done = RowSet.Of(new RowRange(0, 61)) };
        Assert.Equal(["sample T=10 is done: 61 rows"], Told(stage));
        Assert.Empty(Told(stage));
    }

    [Fact]
    public void Of_Losses_TellsThoseThatAreNewAndNotThoseOfBeforeTheSubmission()
    {
        var old = new PartsLoss(s_start.AddSeconds(-5), "w1", LeaseEnd.WorkerLost, 3, 100);
        var first = new PartsLoss(s_start.AddSeconds(5), "w2", LeaseEnd.WorkerLost, 2, 40);
        var second = new PartsLoss(s_start.AddSeconds(9), "w3", LeaseEnd.Stuck, 1, 10);
        Assert.Equal(
            ["lost with silo w2: 2 parts, handed out again, up to 40 evaluations are made again"],
            Told(Stage() with { Losses = [old, first] }));
        Assert.Equal(
            ["silo w3 did not get on with 1 part: handed out again, up to 10 evaluations are made again"],
            Told(Stage() with { Losses = [old, first, second] }));
        // The stage begins anew and has forgotten what it told: that is no news.
        Assert.Empty(Told(Stage()));
        Assert.Empty(Told(Stage() with { Losses = [first] }));
    }

    [Fact]
    public void Of_StagesWithoutNews_KeepsNothingOfThem()
    {
        Told(Stage(), Stage() with { Key = "other" });
        Assert.Empty(_seen);
        Told(Stage() with { RowsFailed = 1 });
        Assert.Equal("key", Assert.Single(_seen).Key);
    }

    [Fact]
    public void Of_AStageThatWasThereBefore_IsNoNews()
    {
        Assert.Empty(Told(Stage() with { Done = RowSet.Of(new RowRange(0, 64)), RowsReused = 64 }));
        Assert.True(Assert.Single(_seen).Done);
    }

    [Fact]
    public void Of_AHostThatFailedAtAStageThatIsDone_IsNotSaidToWorkAgain()
    {
        Told(Stage() with { Pauses = [new("gpu-3", "a", "no space left", 1, TimeSpan.FromSeconds(1))] });
        Assert.Equal(["sample T=10 is done: 64 rows"], Told(Stage() with { Done = RowSet.Of(new RowRange(0, 64)) }));
    }

    List<string> Told(params StageStatus[] stages)
    {
        var news = SweepNews.Of(stages, _seen, _ => "sample T=10", s_start, s_start.AddMinutes(1));
        _seen = news.Seen;
        Assert.All(news.Entries, e => Assert.Contains(stages, s => s.Key == e.Stage));
        return [.. news.Entries.Select(LogText.Of)];
    }

    static StageStatus Stage() => new("key", StageKind.Sample, 64, RowSet.Empty, 0, 0, 1, 640, 0, [], null);
}
