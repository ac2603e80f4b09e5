using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Actors;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Actors;

/// <summary>Which published parts are computed once more, and by whom.</summary>
public sealed class RecomputationTests
{
    static readonly StageSpec s_exact = TestStages.Sample with { Determinism = new(16, "cpu") };
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    readonly FakeTimeProvider _time = new();

    [Fact]
    public void IsChosen_OneInFifty_IsAFiftiethAndAnotherOneForEachStage()
    {
        static HashSet<int> Of(string key, int oneIn) =>
            [.. Enumerable.Range(0, 50_000).Select(i => i * 32).Where(row => Recomputation.IsChosen(key, row, oneIn))];

        var chosen = Of("aa", 50);
        // 1000 are expected, with a deviation of 31.
        Assert.InRange(chosen.Count, 850, 1150);
        Assert.Equal(chosen, Of("aa", 50));
        Assert.InRange(chosen.Intersect(Of("bb", 50)).Count(), 0, 60);
        Assert.Empty(Of("aa", 0));
        Assert.Equal(50_000, Of("aa", 1).Count);
    }

    [Fact]
    public void Take_APublishedPart_GoesOnceToAnotherWorker()
    {
        var recomputed = Of(oneIn: 1);
        var lease = Lease("a", 0);
        recomputed.Published(lease, s_exact);

        Assert.Null(recomputed.Take("a", alone: false, s_exact, epoch: 7));
        var again = recomputed.Take("b", alone: false, s_exact, epoch: 7)!;
        Assert.Equal((lease.Rows, true, "b", 7), (again.Rows, again.Verify, again.Worker, again.Attempt.Epoch));
        Assert.NotEqual(lease.Attempt.Id, again.Attempt.Id);
        Assert.True(again.Keep.IsEmpty);
        Assert.Equal([again.Attempt], recomputed.Attempts.AsEnumerable());
        Assert.Null(recomputed.Take("b", alone: false, s_exact, epoch: 7));

        Assert.True(recomputed.Renew(again.Attempt));
        Assert.True(recomputed.End(again.Attempt));
        Assert.False(recomputed.End(again.Attempt));
        Assert.False(recomputed.Renew(again.Attempt));
        Assert.False(recomputed.IsWaiting);
    }

    [Fact]
    public void Take_NobodyElseIsThere_GoesToWhoPublished()
    {
        var recomputed = Of(oneIn: 1);
        recomputed.Published(Lease("a", 0), s_exact);
        Assert.NotNull(recomputed.Take("a", alone: true, s_exact, epoch: 1));
    }

    [Fact]
    public void Published_WithoutBitsThatCountOrNotChosen_IsNotTakenAgain()
    {
        var recomputed = Of(oneIn: 1);
        recomputed.Published(Lease("a", 0), TestStages.Sample);
        Assert.False(recomputed.IsWaiting);
        var none = Of(oneIn: 0);
        none.Published(Lease("a", 0), s_exact);
        Assert.False(none.IsWaiting);
    }

    [Fact]
    public void Take_FourOut_WaitsUntilOneEndsOrItsWorkerSaysNothing()
    {
        var recomputed = Of(oneIn: 1);
        for (var part = 0; part < 100; part++)
            recomputed.Published(Lease("a", part * 32), s_exact);
        var first = recomputed.Take("b", alone: false, s_exact, epoch: 1)!;
        // Only so many are remembered, the last ones.
        Assert.Equal(36 * 32, first.Rows.Start);
        for (var more = 0; more < 3; more++)
            Assert.NotNull(recomputed.Take("b", alone: false, s_exact, epoch: 1));
        Assert.Null(recomputed.Take("b", alone: false, s_exact, epoch: 1));

        _time.Advance(s_patience * 0.9);
        Assert.True(recomputed.Renew(first.Attempt));
        _time.Advance(s_patience * 0.2);
        Assert.NotNull(recomputed.Take("c", alone: false, s_exact, epoch: 1));
        Assert.Contains(first.Attempt, recomputed.Attempts);
        Assert.Equal(2, recomputed.Attempts.Length);
    }

    Recomputation Of(int oneIn) => new("aa", oneIn, s_patience, _time);

    static Lease Lease(string worker, int row) =>
        new(new("aa", row, 1, Guid.NewGuid()), new(row, row + 32), worker, DateTimeOffset.UnixEpoch);
}
