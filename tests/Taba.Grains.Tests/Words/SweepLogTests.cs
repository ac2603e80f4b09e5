using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Grains.Tests.Words;

public sealed class SweepLogTests
{
    static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void With_PartsOfOneHostLostOneAfterTheOther_IsOneEntryThatAddsUp()
    {
        ImmutableArray<SweepLogEntry> log =
        [
            .. ImmutableArray<SweepLogEntry>.Empty.With([Lost(0, "w2", "a", 1, 30), Lost(1, "w2", "a", 1, 20), Lost(2, "w2", "b", 2, 0),
                Lost(2, "w3", "b", 1, 5), Lost(30, "w2", "b", 1, 0)]),
        ];
        Assert.Equal(
            [
                "lost with silo w2: 4 parts, handed out again, up to 50 evaluations are made again",
                "lost with silo w3: 1 part, handed out again, up to 5 evaluations are made again",
                "lost with silo w2: 1 part, handed out again",
            ],
            log.Select(LogText.Of));
        Assert.Null(log[0].Stage);
    }

    [Fact]
    public void With_ACallThatCameTwice_IsOneEntryAndWhatIsMeantAnewIsAnother()
    {
        var log = ImmutableArray<SweepLogEntry>.Empty.With(
            [Steered(0, SweepLogKind.Paused, "anna@a"), Steered(2, SweepLogKind.Paused, "anna@a"),
                Steered(3, SweepLogKind.Resumed, "ben@b"), Steered(4, SweepLogKind.Paused, "anna@a"),
                Steered(5, SweepLogKind.Paused, "ben@b")]);
        Assert.Equal(["paused by anna@a", "resumed by ben@b", "paused by anna@a", "paused by ben@b"], log.Select(LogText.Of));
    }

    [Fact]
    public void With_AFloodOfOneKind_KeepsTheOthersAndItsNewest()
    {
        var log = ImmutableArray<SweepLogEntry>.Empty.With(Steered(0, SweepLogKind.Submitted, "anna@a"));
        for (var i = 1; i <= 1000; i++)
        {
            log = log.With(new SweepLogEntry(s_start.AddSeconds(i), SweepLogKind.StageDone)
            {
                Stage = $"s{i}", StageName = $"s{i}", Count = i,
            });
        }
        Assert.Equal(SweepLog.MostEntries, log.Length);
        Assert.Equal("submitted by anna@a", LogText.Of(log[0]));
        Assert.Equal("s1000 is done: 1,000 rows", LogText.Of(log[^1]));
    }

    [Fact]
    public void With_ASiloThatRefusesAtEveryStage_IsSaidOnce()
    {
        var log = ImmutableArray<SweepLogEntry>.Empty;
        for (var i = 0; i < 50; i++)
        {
            log = log.With(new SweepLogEntry(s_start.AddMinutes(i), SweepLogKind.Refused)
            {
                Host = "w2", Reason = "no model", Stage = $"s{i}",
            });
        }
        Assert.Equal("silo w2 does not work on it: no model", LogText.Of(Assert.Single(log)));
    }

    [Fact]
    public void With_AnObservationOfBefore_StandsInItsPlace()
    {
        var log = ImmutableArray<SweepLogEntry>.Empty.With([Steered(10, SweepLogKind.Cancelled, null), Lost(5, "w2", "a", 1, 0)]);
        Assert.Equal([SweepLogKind.Lost, SweepLogKind.Cancelled], log.Select(e => e.Kind));
    }

    [Fact]
    public void Reason_OfAnyLength_IsBounded()
    {
        var entry = new SweepLogEntry(s_start, SweepLogKind.Stuck) { Reason = new string('x', 100_000) };
        Assert.Equal(SweepLogEntry.MostCharacters, entry.Reason!.Length);
    }

    [Fact]
    public void Of_EveryKind_HasWords()
    {
        Assert.All(Enum.GetValues<SweepLogKind>(), kind =>
        {
            var entry = new SweepLogEntry(s_start, kind, "anna@a")
            {
                Stage = "key", StageName = "sample T=10", Host = "w2", Count = 2, Reason = "disk full", State = SweepState.Stopped,
                How = LeaseEnd.WorkerLost,
            };
            Assert.Contains(' ', LogText.Of(entry));
        });
        Assert.Equal("host-failed", LogText.Word(SweepLogKind.HostFailed));
    }

    static SweepLogEntry Steered(int second, SweepLogKind kind, string? by) => new(s_start.AddSeconds(second), kind, by);

    static SweepLogEntry Lost(int second, string host, string stage, int parts, double evaluations) =>
        new(s_start.AddSeconds(second), SweepLogKind.Lost)
        {
            Host = host, How = LeaseEnd.WorkerLost, Stage = stage, StageName = stage, Count = parts, Evaluations = evaluations,
        };
}
