using System.Collections.Immutable;
using CsCheck;
using Taba.Grains.Faults;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Stages;

/// <summary>What a stage hands out next, as a function of its state.</summary>
public sealed class StageLeasesTests
{
    static readonly CaptureSelection s_lastEps = new([], [9], []);
    static readonly RowSet s_everything = TestStages.Rows(0, int.MaxValue);
    static readonly Gen<RowSet> s_rows = Gen.Select(Gen.Int[0, 300], Gen.Int[0, 40], (start, count) => new RowRange(start, start + count))
        .Array[0, 12].Select(ranges => RowSet.Of(ranges));

    [Fact]
    public void Next_NoDemand_IsNothing() => Assert.Null(Stage().Next(s_everything, null));

    [Fact]
    public void Next_OneDemand_IsTheFirstCell() =>
        Assert.Equal((new RowRange(0, 32), CaptureSelection.None, false), Stage(Demand("a", 0, 100)).Next(s_everything, null));

    [Fact]
    public void Next_LastCell_IsClippedToTheDemand()
    {
        var state = Stage(Demand("a", 0, 100)).WithPublished(TestStages.Rows(0, 96), CaptureSelection.None);
        Assert.Equal(new RowRange(96, 100), state.Next(s_everything, null)!.Value.Rows);
    }

    [Fact]
    public void Next_PreferredRowIsFree_BeginsWithItsCell() =>
        Assert.Equal(new RowRange(64, 96), Stage(Demand("a", 0, 128)).Next(s_everything, 70)!.Value.Rows);

    [Fact]
    public void Next_PreferredRowIsTaken_BeginsAtTheFront()
    {
        var state = Leased(Stage(Demand("a", 0, 128)), 64, 96);
        Assert.Equal(new RowRange(0, 32), state.Next(s_everything, 70)!.Value.Rows);
    }

    [Fact]
    public void Next_PreferredCellIsPartlyDone_IsItsRest()
    {
        var state = Stage(Demand("a", 0, 128)).WithPublished(TestStages.Rows(64, 80), CaptureSelection.None);
        Assert.Equal(new RowRange(80, 96), state.Next(s_everything, 64)!.Value.Rows);
    }

    [Fact]
    public void Next_InputsMissing_WaitsForThem()
    {
        var state = Stage(Demand("a", 0, 64));
        Assert.Null(state.Next(RowSet.Empty, null));
        Assert.Equal(new RowRange(40, 64), state.Next(TestStages.Rows(40, 70), null)!.Value.Rows);
    }

    [Fact]
    public void Next_AnyRows_AreTheFirstThatAreWantedReadyAndFree() =>
        Gen.Select(s_rows, s_rows, s_rows, s_rows, Gen.Int[0, 200]).Sample((wanted, inputs, done, leased, preferred) =>
        {
            var state = Stage(Demand("a", 0, 400) with { Only = wanted }).WithPublished(done, CaptureSelection.None);
            var free = wanted.Intersect(inputs).Subtract(done).Subtract(leased);
            var cell = free.Intersect(new RowRange(preferred / 32 * 32, (preferred / 32 + 1) * 32));
            RowRange? expected = free.IsEmpty ? null : PartGrid.Clip((cell.IsEmpty ? free : cell).Ranges[0], 32);

            Assert.Equal(expected, StageLeases.Next(state, leased, inputs, preferred)?.Rows);
            Assert.Equal(expected, StageLeases.Next(state, leased, inputs, preferred, taken: leased.Union(done))?.Rows);
            Assert.Equal(!wanted.Subtract(done).IsEmpty, state.HasOpenDemand());
        });

    [Fact]
    public void Next_QuarantinedSample_SplitsThePart()
    {
        var state = Stage(Demand("a", 0, 32)) with { Quarantined = [new("s", 5, 3, "NaN")] };
        Assert.Equal(new RowRange(0, 5), state.Next(s_everything, null)!.Value.Rows);
        Assert.Equal(new RowRange(6, 32), Leased(state, 0, 5).Next(s_everything, null)!.Value.Rows);
    }

    [Fact]
    public void Next_ResultIsThereButNotWhatIsKept_IsASupplement()
    {
        var state = Stage(Demand("a", 0, 32, s_lastEps)).WithPublished(TestStages.Rows(0, 32), CaptureSelection.None);
        Assert.Equal((new RowRange(0, 32), s_lastEps, true), state.Next(s_everything, null));
        Assert.Null(state.WithPublished(TestStages.Rows(0, 32), s_lastEps).Next(s_everything, null));
    }

    [Fact]
    public void Next_NewRowsAndSupplements_NewRowsComeFirst()
    {
        var state = Stage(Demand("a", 0, 64, s_lastEps)).WithPublished(TestStages.Rows(0, 32), CaptureSelection.None);
        Assert.Equal((new RowRange(32, 64), s_lastEps, false), state.Next(s_everything, null));
    }

    [Fact]
    public void Next_TwoSweepsKeepDifferentTensors_KeepsBothAtOnce()
    {
        CaptureSelection states = new([3], [], []);
        var state = Stage(Demand("a", 0, 64, s_lastEps), Demand("b", 0, 32, states));
        Assert.Equal(s_lastEps.Union(states), state.Next(s_everything, null)!.Value.Keep);
        Assert.Equal(s_lastEps, state.Next(s_everything, 32)!.Value.Keep);
    }

    [Fact]
    public void Next_MoreKeptThanWanted_IsDone() =>
        Assert.Null(
            Stage(Demand("a", 0, 32, s_lastEps)).WithPublished(TestStages.Rows(0, 32), new([3], [8, 9], [])).Next(s_everything, null));

    [Fact]
    public void Next_From128To256Rows_HandsOutOnlyTheNewOnes()
    {
        var state = Stage(Demand("a", 0, 128)).WithPublished(TestStages.Rows(0, 128), CaptureSelection.None);
        var (rest, _) = RunOut(state with { Demands = state.Demands.With(Demand("b", 0, 256)) }, s_everything, []);
        Assert.Equal([new(128, 160), new(160, 192), new(192, 224), new(224, 256)], rest);
    }

    [Fact]
    public void With_DemandOfTheSameSweep_ReplacesItInItsPlace()
    {
        ImmutableArray<StageDemand> demands = [Demand("a", 0, 32), Demand("b", 0, 32)];
        var changed = demands.With(Demand("a", 0, 64));
        Assert.Equal(["a", "b"], changed.Select(d => d.SweepId));
        Assert.Equal(new RowRange(0, 64), changed[0].Rows);
    }

    [Fact]
    public void WithReused_RowsThatTheStoreHad_AreReusedUnlessAttemptsOfOursMadeThem()
    {
        var state = Stage(Demand("a", 0, 128), Demand("b", 0, 32) with { Reused = 4 });
        var found = state.WithPublished(TestStages.Rows(0, 64), CaptureSelection.None);
        var lost = new LostAttempt(new(32, 64), "worker", Strike: false, 0);
        Assert.Equal([32, 36], found.WithReused(state.Published, [lost]).Demands.Select(d => d.Reused ?? 0));
        // What the store has no more is work again.
        var counted = found.WithReused(state.Published, []);
        Assert.Equal([64, 36], counted.Demands.Select(d => d.Reused ?? 0));
        var emptied = counted with { Published = [] };
        Assert.Equal([0, 4], emptied.WithReused(counted.Published, []).Demands.Select(d => d.Reused ?? 0));
    }

    [Fact]
    public void WithPublished_NoRows_ChangesNothing()
    {
        var state = Stage(Demand("a", 0, 32));
        Assert.Same(state, state.WithPublished(RowSet.Empty, s_lastEps));
    }

    [Fact]
    public void HasOpenDemand_AllPublishedOrQuarantined_IsFalse()
    {
        var state = Stage(Demand("a", 0, 32)).WithPublished(TestStages.Rows(0, 31), CaptureSelection.None);
        Assert.True(state.HasOpenDemand());
        Assert.False((state with { Quarantined = [new("s", 31, 0, "NaN")] }).HasOpenDemand());
    }

    [Fact]
    public void WithFailed_StateThatListsEveryFailure_KeepsItsRowsAndTheFirstReasons()
    {
        var state = new StageState { Quarantined = [.. Enumerable.Range(0, 1000).Select(i => new SampleFailure("s", i, 0, $"NaN {i}"))] };
        var next = state.WithFailed([new("s", 2000, 3, "killed") { Kind = FailureKind.Poison }]);
        Assert.Equal(TestStages.Rows(0, 1000), next.Failed.Rows(FailureKind.Other));
        Assert.Equal(TestStages.Rows(2000, 2001), next.Failed.Rows(FailureKind.Poison));
        Assert.Equal(Failures.MostReasons, next.Quarantined.Length);
        Assert.Equal(RowSet.Empty, next.WithRetried(TestStages.Rows(0, 3000)).QuarantinedRows());
        Assert.Empty(next.WithRetried(TestStages.Rows(0, 3000)).Quarantined);
    }

    [Fact]
    public void About_RowsOfWhichNoneIsInWords_AreThoseOfTheirKind()
    {
        ImmutableArray<SampleFailure> known =
            [new("s", 1, 3, "NaN at step 3") { Kind = FailureKind.NonFinite }, new("s", 2, 0, "killed") { Kind = FailureKind.Poison }];
        ImmutableArray<FailedRows> failed = [new(FailureKind.NonFinite, TestStages.Rows(100, 200))];
        Assert.Equal([known[0]], known.About(failed).AsEnumerable());
    }

    /// <summary>
    /// Any demands, any rows already published, any failed samples, any inputs, leases ending in any order: no row is out twice,
    /// none is handed out without cause, and in the end every row that can be had is published.
    /// </summary>
    [Fact]
    public void Next_UntilNothingIsLeft_HandsOutEveryWantedRowOnce() => Gen.Select(
        Gen.Select(Gen.Int[0, 150], Gen.Int[1, 120], Gen.Bool, (
            s, n, keep) => (Rows: new RowRange(s, s + n), Keep: keep ? s_lastEps : CaptureSelection.None)).Array[1, 4],
        Gen.Select(Gen.Int[0, 250], Gen.Int[0, 60], (s, n) => new RowRange(s, s + n)).Array[0, 4],
        Gen.Int[0, 270].Array[0, 5],
        Gen.Select(Gen.Int[0, 200], Gen.Int[0, 200], (s, n) => new RowRange(s, s + n)).Array[0, 3],
        Gen.Int[0, 400].Array[0, 6]).Sample((wanted, done, failed, inputs, preferred) =>
        {
            var state = Stage([.. wanted.Select((w, i) => Demand($"sweep{i}", w.Rows.Start, w.Rows.End, w.Keep))])
                .WithPublished(RowSet.Of(done), CaptureSelection.None) with
            {
                Quarantined = [.. failed.Distinct().Select(f => new SampleFailure("s", f, 0, "NaN"))],
            };
            var there = RowSet.Of(inputs);
            var (_, end) = RunOut(state, there, preferred);

            var can = there.Subtract(state.QuarantinedRows());
            foreach (var demand in state.Demands)
            {
                var missing = RowSet.Of(demand.Rows).Intersect(can).Subtract(end.Published(demand.Keep));
                Assert.True(missing.IsEmpty, $"{demand.SweepId} never got {missing}");
            }
        }, iter: 300);

    /// <summary>Leases until nothing is left, with up to three leases out at once.</summary>
    static (List<RowRange> Parts, StageState End) RunOut(StageState state, RowSet inputs, int[] preferred)
    {
        var parts = new List<RowRange>();
        var wanted = state.Demands.Aggregate(RowSet.Empty, (rows, d) => rows.Add(d.Rows));
        while (true)
        {
            var next = state.Next(inputs, preferred.Length == 0 ? null : preferred[parts.Count % preferred.Length]);
            if (next is var (rows, keep, supplement))
            {
                Assert.True(state.LeasedRows().Intersect(rows).IsEmpty, $"{rows} is out already");
                Assert.True(state.QuarantinedRows().Intersect(rows).IsEmpty, $"{rows} holds a failed sample");
                Assert.True(inputs.Contains(rows), $"{rows} has no inputs");
                Assert.True(wanted.Contains(rows), $"nobody wants {rows}");
                Assert.True(state.Published(keep).Intersect(rows).Count < rows.Count, $"{rows} is done");
                Assert.Equal(supplement, !state.Published(CaptureSelection.None).Intersect(rows).IsEmpty);
                Assert.True(rows.Start / 32 == (rows.End - 1) / 32, $"{rows} crosses the grid");
                parts.Add(rows);
                state = Leased(state, rows.Start, rows.End);
            }
            if (next is null && state.Leases.IsEmpty)
                return (parts, state);
            if (next is null || state.Leases.Length == 3)
            {
                // The lease's own selection is what a worker publishes with.
                var lease = state.Leases[^1];
                var kept = state.Demands.Where(d => !d.Rows.Intersect(lease.Rows).IsEmpty)
                    .Aggregate(CaptureSelection.None, (k, d) => k.Union(d.Keep));
                state = (state with { Leases = state.Leases.Remove(lease) }).WithPublished(RowSet.Of(lease.Rows), kept);
            }
        }
    }

    static StageState Stage(params StageDemand[] demands) => new() { Spec = TestStages.Sample, Demands = [.. demands] };

    static StageDemand Demand(string sweep, int start, int end, CaptureSelection? keep = null) =>
        new(sweep, TestStages.Sample, new(start, end), keep ?? CaptureSelection.None);

    static StageState Leased(StageState state, int start, int end) => state with
    {
        Epoch = state.Epoch + 1,
        Leases = state.Leases.Add(new(new("s", start, state.Epoch + 1, Guid.Empty), new(start, end), "worker", DateTimeOffset.MaxValue)),
    };
}

/// <summary>The leases of a stage's state, as they are when it is written.</summary>
file static class WrittenLeases
{
    public static RowSet LeasedRows(this StageState state) => RowSet.Of([.. state.Leases.Select(l => l.Rows)]);

    public static (RowRange Rows, CaptureSelection Keep, bool Supplement)? Next(this StageState state, RowSet inputs, int? preferredRow) =>
        state.Next(state.LeasedRows(), inputs, preferredRow);
}
