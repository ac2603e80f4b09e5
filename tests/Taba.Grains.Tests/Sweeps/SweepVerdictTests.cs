using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Sweeps;

/// <summary>How a sweep of three stages over four rows stands, by what its stages say.</summary>
public sealed class SweepVerdictTests
{
    static readonly SweepPlan s_plan = TestStages.Chain("s", 4);
    static readonly RowSet s_all = TestStages.Rows(0, 4);

    [Fact]
    public void Of_EverythingDone_IsCompletedEvenWhenPaused() =>
        Assert.Equal(SweepState.Completed, Of([Stage(0, s_all), Stage(1, s_all), Stage(2, s_all)], paused: true));

    [Fact]
    public void Of_RowsMissing_IsRunningOrPaused()
    {
        StageStatus[] stages = [Stage(0, s_all), Stage(1, TestStages.Rows(0, 3)), Stage(2, RowSet.Empty)];
        Assert.Equal(SweepState.Running, Of(stages));
        Assert.Equal(SweepState.Paused, Of(stages, paused: true));
    }

    [Fact]
    public void Of_StageThatKnowsNothingOfTheSweep_IsRunning() =>
        Assert.Equal(SweepState.Running, Of([Stage(0, s_all), Stage(1, s_all), Stage(2, RowSet.Empty) with { RowsWanted = 0 }]));

    [Fact]
    public void Of_RowFailedEarly_IsMissingInWhatDependsOnItAndNothingElseIsWaitedFor()
    {
        var rest = TestStages.Rows(1, 4);
        Assert.Equal(SweepState.CompletedWithFailures, Of([Stage(0, rest, failed: 0), Stage(1, rest), Stage(2, rest)]));
        Assert.Equal(SweepState.Running, Of([Stage(0, rest, failed: 0), Stage(1, rest), Stage(2, TestStages.Rows(2, 4))]));
    }

    [Fact]
    public void Of_FailedRowThatIsDoneAllTheSame_IsNotMissing() =>
        Assert.Equal(SweepState.Completed, Of([Stage(0, s_all, failed: 0), Stage(1, s_all), Stage(2, s_all)]));

    [Theory]
    [InlineData(1, SweepState.Stopped)]
    [InlineData(2, SweepState.Running)]
    public void Of_AsManyFailuresAsThePolicyAllows_IsStopped(int limit, SweepState state) => Assert.Equal(
        state,
        SweepVerdict.Of(
            s_plan with { OnError = new(limit) }, [Stage(0, RowSet.Empty, failed: 0), Stage(1, RowSet.Empty), Stage(2, RowSet.Empty)],
            paused: false, waitsOutFaults: false));

    [Theory]
    [InlineData(0, false, SweepState.Faulted)]
    [InlineData(1, false, SweepState.Running)]
    [InlineData(0, true, SweepState.Running)]
    public void Of_AFault_StopsOnlyWhenNothingIsOutAndNobodyWaitsItOut(int leased, bool waits, SweepState state) => Assert.Equal(
        state,
        SweepVerdict.Of(
            s_plan,
            [
                Stage(0, s_all),
                Stage(1, RowSet.Empty) with { Fault = "the disk is full" },
                Stage(2, RowSet.Empty) with { PartsLeased = leased },
            ],
            paused: false, waits));

    static SweepState Of(StageStatus[] stages, bool paused = false) => SweepVerdict.Of(s_plan, stages, paused, waitsOutFaults: false);

    static StageStatus Stage(int stage, RowSet done, params ImmutableArray<int> failed) => new(
        s_plan.Stages[stage].Key, s_plan.Stages[stage].Spec.Kind, 4, done, 0, failed.Length, 0, 40, 0,
        [.. failed.Select(sample => new SampleFailure(s_plan.Stages[stage].Key, sample, 0, "NaN"))], Fault: null);
}
