using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Taba.Client.Progress;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Tests;

public sealed class ProgressTests
{
    static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(0, 100, "0 %")]
    [InlineData(47.9, 100, "47 %")]
    [InlineData(999.9, 1000, "99 %")]
    [InlineData(1000, 1000, "100 %")]
    [InlineData(0, 0, "100 %")]
    public void Percent_OfEvaluations_IsWholeOnlyWhenNothingIsLeft(double done, double planned, string expected) =>
        Assert.Equal(expected, ProgressText.Percent(done, planned));

    [Theory]
    [InlineData(12.2, "13 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(7260, "2 h 1 min")]
    [InlineData(400_000, "4 d 15 h")]
    public void Duration_OfSeconds_IsReadable(double seconds, string expected) =>
        Assert.Equal(expected, Quantities.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(10, "10 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(3.0 * (1L << 40), "3.0 TiB")]
    public void Bytes_OfANumber_AreReadable(double bytes, string expected) => Assert.Equal(expected, Quantities.Bytes(bytes));

    [Fact]
    public void Of_AStatus_SaysTheSweepsOwnFigures()
    {
        var status = Status() with { Rate = 210.4, Left = TimeSpan.FromSeconds(14) };
        Assert.Equal("50 % · 320 of 640 evaluations · 210 evaluations/s · 14 s left", ProgressText.Of(status));
        Assert.Equal("50 % · 320 of 640 evaluations · rate unknown · time left unknown", ProgressText.Of(Status()));
        Assert.Equal("50 % · 320 of 640 evaluations · paused", ProgressText.Of(status with { State = SweepState.Paused }));
    }

    [Fact]
    public void Take_WhatHappens_IsToldOnceWhenItHasSettledAndNothingOfBefore()
    {
        var tail = new NewsTail(_time);
        var before = new SweepLogEntry(s_start, SweepLogKind.HostFailed) { Host = "w1", Reason = "disk" };
        var lost = new SweepLogEntry(s_start.AddSeconds(5), SweepLogKind.Lost) { Host = "w2", Count = 1 };
        Assert.Empty(tail.Take(Status() with { News = [before] }));
        Assert.Empty(tail.Take(Status() with { News = [before, lost] }));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal([lost with { Count = 3 }], tail.Take(Status() with { News = [before, lost with { Count = 3 }] }));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Empty(tail.Take(Status() with { News = [before, lost with { Count = 3 }] }));
        // At the end nothing is held back.
        var paused = new SweepLogEntry(s_start.AddSeconds(9), SweepLogKind.Cancelled, "anna@a");
        Assert.Equal([paused], tail.Take(Status() with { State = SweepState.Cancelled, News = [before, paused] }));
    }

    [Fact]
    public void Show_AsLines_SaysWhatWasLostAndKeepsTheTotal()
    {
        var error = new StringWriter();
        var view = new LineProgress(new(TextWriter.Null, error, errorIsLive: false, _time), Plan());
        view.Show(Status());
        var lost = new SweepLogEntry(s_start, SweepLogKind.Lost) { Host = "w2", Count = 2, Evaluations = 40 };
        view.Show(Status() with { News = [lost] });
        _time.Advance(TimeSpan.FromSeconds(6));
        view.Show(Status() with { News = [lost], Rate = 10, Left = TimeSpan.FromSeconds(32) });
        Assert.Equal(
            [
                "tiny: 50 % · 320 of 640 evaluations · rate unknown · time left unknown · sample 32/64",
                "tiny: lost with silo w2: 2 parts, handed out again, up to 40 evaluations are made again",
                "tiny: 50 % · 320 of 640 evaluations · 10.0 evaluations/s · 32 s left · sample 32/64",
            ],
            error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Show_AsJson_HasTheOneSpellingOfStatesAndTheLog()
    {
        var error = new StringWriter();
        var view = new JsonProgress(new(TextWriter.Null, error, errorIsLive: false, _time), Plan());
        view.Show(Status());
        view.Show(Status() with
        {
            State = SweepState.CompletedWithFailures,
            News = [new(s_start, SweepLogKind.GivenUp) { Stage = "key", StageName = "sample T=10", Count = 2, Reason = "NaN" }],
        });
        var lines = error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!)
            .ToList();
        Assert.Equal(["progress", "log", "progress"], lines.Select(l => (string)l["event"]!));
        Assert.Equal("running", (string)lines[0]["state"]!);
        Assert.Equal("running", (string)lines[0]["stages"]![0]!["state"]!);
        Assert.Equal(("given-up", "2 samples of sample T=10 given up: NaN"), ((string)lines[1]["kind"]!, (string)lines[1]["text"]!));
        Assert.Equal("completed with failures", (string)lines[2]["state"]!);
    }

    [Fact]
    public async Task Show_OnATerminal_SaysWhenNothingIsHeardAnyMore()
    {
        var error = new StringWriter();
        await using (var view = new LiveProgress(new(TextWriter.Null, TextWriter.Synchronized(error), errorIsLive: true, _time), Plan()))
        {
            view.Show(Status() with { Rate = 10, Left = TimeSpan.FromSeconds(32) });
            await UntilAsync(() => error.ToString().Contains("10.0 evaluations/s", StringComparison.Ordinal));
            await UntilAsync(() =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return error.ToString().Contains("no silo answers for", StringComparison.Ordinal);
            });
            // Neither is it known that the stages run.
            Assert.Contains("was running", error.ToString(), StringComparison.Ordinal);
        }
    }

    static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; !holds(); i++)
        {
            Assert.True(i < 500, "it does not come");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    static SweepPlan Plan() => new("id", "tiny", [], []);

    static SweepStatus Status() => new(
        "id", 1, SweepState.Running,
        [new("key", StageKind.Sample, 64, RowSet.Of(new RowRange(0, 32)), 0, 0, 1, 640, 320, [], null)], null);
}
