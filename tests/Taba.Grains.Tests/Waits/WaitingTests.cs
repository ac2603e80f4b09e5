using Taba.Grains.Dispatch;
using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Waits;

namespace Taba.Grains.Tests.Waits;

public sealed class WaitingTests
{
    static readonly SweepPlan s_plan = TestStages.Chain("sweep", 256);
    static readonly string s_sample = s_plan.Stages[0].Key;
    static readonly string s_invert = s_plan.Stages[1].Key;

    static readonly Dictionary<string, string> s_names = new()
    {
        [s_sample] = "sample T=10",
        [s_invert] = "invert T=10",
    };

    static readonly StageStatus s_ready = Stage(s_sample) with { RowsReady = 256 };

    [Fact]
    public void Of_StageThatIsDone_WaitsForNothing() =>
        Assert.Null(Waiting.Of(Stage(s_sample, done: 250) with { RowsFailed = 6 }, Facts()));

    [Fact]
    public void Of_StageWhoseRowsAreAllOut_WaitsForNothing() =>
        Assert.Null(Waiting.Of(Stage(s_sample, done: 192) with { RowsLeased = 64, PartsLeased = 2 }, Facts()));

    [Fact]
    public void Of_StageOfWhichSomeIsOutAndTheRestReady_WaitsForNothing() =>
        Assert.Null(Waiting.Of(s_ready with { RowsLeased = 64, RowsReady = 192, PartsLeased = 2 }, Facts(Standing(waiting: 0))));

    [Theory]
    [InlineData(SweepState.Completed)]
    [InlineData(SweepState.Cancelled)]
    [InlineData(SweepState.Stopped)]
    public void Of_SweepThatEnded_WaitsForNothing(SweepState ended) =>
        Assert.Null(Waiting.Of(s_ready, Facts() with { Status = Status(ended, s_ready) }));

    [Fact]
    public void Of_PausedSweep_WaitsForSomebody() => Says(
        WaitKind.Paused, "The sweep is paused: its rows are handed out again when somebody resumes it.",
        s_ready, Facts() with { Status = Status(SweepState.Paused, s_ready) });

    [Fact]
    public void Of_StageWithoutAnswer_SaysTheError() => Says(
        WaitKind.Silent, "The stage's coordinator does not answer and is asked again in some seconds: no answer within 5 s.",
        s_ready with { Silence = "no answer within 5 s." });

    [Fact]
    public void Of_StageThatGaveAWorkerNoAnswer_SaysWhenItIsAskedAgain() => Says(
        WaitKind.Silent, "The stage's coordinator gave a worker no answer and is asked again in 4 s: it timed out.",
        s_ready, Facts(Standing() with { Silent = [new(s_sample, "it timed out", OfStore: false, TimeSpan.FromSeconds(3.2))] }));

    [Fact]
    public void Of_StageWhoseStoreIsAway_SaysWhenItIsTriedAgain() => Says(
        WaitKind.Store, "The store does not answer and is tried again in 8 s: cannot read /store: it is full.",
        s_ready,
        Facts(Standing() with { Silent = [new(s_sample, "cannot read /store: it is full", OfStore: true, TimeSpan.FromSeconds(8))] }));

    [Fact]
    public void Of_AnotherStageWithoutAnswer_IsNotThisOnesAffair() => Says(
        WaitKind.HandedOut, "256 rows are being handed out.",
        s_ready, Facts(Standing() with { Silent = [new(s_invert, "it timed out", OfStore: false, TimeSpan.FromSeconds(3))] }));

    [Fact]
    public void Of_AllSilosFailedAlike_ItIsTheStore() => Says(
        WaitKind.Store, "The store does not answer and is tried again in 12 s: all 3 silos failed alike: the disk is full.",
        s_ready with
        {
            Fault = "all 3 silos failed alike: the disk is full",
            FaultOwner = FaultOwner.Store,
            Pauses = [Pause("a", 40), Pause("b", 12), Pause("c", 0)],
        });

    [Fact]
    public void Of_AllSilosFailedEachInItsWay_SaysWhoIsAskedNext() => Says(
        WaitKind.Fault,
        "Every silo that could take it failed or refuses; host b is asked again in 2 min: none of 2 silos can go on.",
        s_ready with
        {
            Fault = "none of 2 silos can go on",
            FaultOwner = FaultOwner.Stage,
            Pauses = [Pause("a", 300), Pause("b", 100)],
        });

    [Fact]
    public void Of_NoSiloHasTheModel_SaysWhatOneOfThemLacks() => Says(
        WaitKind.Fault,
        "No silo takes it: no silo can serve the model demo. It begins when one can; gpu-1 says: demo is not there.",
        s_ready with
        {
            Fault = "no silo can serve the model demo",
            FaultOwner = FaultOwner.Stage,
            Refusals = [new("gpu-1", "demo is not there.")],
        });

    [Fact]
    public void Of_AHostThatOnlyASubmissionAsksAgain_SaysThat() => Says(
        WaitKind.Fault, "No silo goes on with it until the sweep is submitted again: the disk is full.",
        s_ready with
        {
            Fault = "the disk is full",
            FaultOwner = FaultOwner.Host,
            Pauses = [Pause("a", 0) with { Remaining = TimeSpan.MaxValue }],
        });

    [Fact]
    public void Of_StageWhoseInputIsNotPublished_CountsItsRows() => Says(
        WaitKind.Inputs, "Its input rows are not published yet: 32 of 256 rows of sample T=10 are there.",
        Stage(s_invert, done: 32),
        Facts() with { Status = Status(SweepState.Running, Stage(s_sample, done: 32), Stage(s_invert, done: 32)) });

    [Fact]
    public void Of_StageWhoseInputIsGivenUp_SaysWhatBringsItBack() => Says(
        WaitKind.InputsGivenUp,
        "What is left of it reads rows that are given up: 3 of 256 rows of sample T=10. "
        + "They are tried again when somebody retries the sweep.",
        Stage(s_invert, done: 253),
        Facts() with
        {
            Status = Status(SweepState.Running, Stage(s_sample, done: 253) with { RowsFailed = 3 }, Stage(s_invert, done: 253)),
        });

    [Fact]
    public void Of_InputsThereAndNothingReady_LooksAgain() => Says(
        WaitKind.HandedOut, "It looks again which of its rows can be handed out: that takes some seconds.",
        Stage(s_invert), Facts() with { Status = Status(SweepState.Running, Stage(s_sample, done: 256), Stage(s_invert)) });

    [Fact]
    public void Of_NoDevice_WaitsForASilo() => Says(
        WaitKind.NoDevice, "No device takes work: it begins when a silo with one joins.",
        s_ready, Facts(Standing()) with { DevicesWorking = 0 });

    [Fact]
    public void Of_SweepOfHigherPriority_GoesFirst() => Says(
        WaitKind.Behind, "Sweep urgent has a higher priority and goes first: this one gets what it leaves.",
        s_ready, Facts(Standing(behind: "urgent")));

    [Fact]
    public void Of_SuspectRows_WaitForAWorkerThatHoldsNothing() => Says(
        WaitKind.Suspect, "32 rows ended with the hosts that computed them: they wait for a worker that holds nothing else.",
        Stage(s_sample, done: 192) with { RowsReady = 32, RowsSuspect = 32, RowsLeased = 32, PartsLeased = 1 },
        Facts(Standing(waiting: 1)));

    [Fact]
    public void Of_NoWorkerHasRoom_TheyAreBusy() => Says(
        WaitKind.Busy, "Every worker is busy: its rows are handed out as soon as one has room.", s_ready, Facts(Standing(waiting: 0)));

    [Fact]
    public void Of_PartsWithoutSteps_WaitForAnotherKindOfRoom()
    {
        var decode = s_ready with { Kind = StageKind.Decode };
        // No device, and nobody with room for rows with steps: a coordinator passes these through its autoencoder.
        var facts = Facts(Standing(waiting: 0) with { WorkersWaitingForParts = 1 }) with { DevicesWorking = 0 };
        Says(WaitKind.HandedOut, "256 rows are being handed out.", decode, facts);
        Says(
            WaitKind.Busy, "Every worker is busy: its rows are handed out as soon as one has room.", decode,
            facts with { Standing = Standing(waiting: 1) });
    }

    [Fact]
    public void Of_WorkersWithRoomThatFailedAtIt_SaysWhenOneIsAskedAgain() => Says(
        WaitKind.Busy,
        "Workers that have room failed at it, and the others are busy; host a is asked again in 30 s.",
        s_ready with { Pauses = [Pause("a", 30)] }, Facts(Standing(waiting: 1)));

    [Fact]
    public void Of_AWorkerWithRoom_ItIsAMatterOfAMoment() => Says(
        WaitKind.HandedOut, "256 rows are being handed out.", s_ready, Facts(Standing(waiting: 1)));

    [Fact]
    public void Of_ADispatcherThatDoesNotAnswer_IsNotGuessedAt() => Says(WaitKind.HandedOut, "256 rows are being handed out.", s_ready);

    static void Says(WaitKind kind, string text, StageStatus stage, WaitFacts? facts = null) =>
        Assert.Equal(new StageWait(kind, text), Waiting.Of(stage, facts ?? Facts()));

    static HostPause Pause(string host, int seconds) =>
        new(host, $"{host}@1", $"the disk of {host} is full", 2, TimeSpan.FromSeconds(seconds));

    static WaitFacts Facts(DispatchStanding? standing = null) =>
        new(s_plan, Status(SweepState.Running, s_ready), s_names) { Standing = standing };

    static DispatchStanding Standing(int waiting = 1, string? behind = null) =>
        new(2, 0, 256, waiting, [new("sweep", 0, Paused: false, 256, behind)], []);

    static SweepStatus Status(SweepState state, params StageStatus[] stages) => new("sweep", 1, state, [.. stages], null);

    static StageStatus Stage(string key, int done = 0) =>
        new(key, StageKind.Sample, 256, TestStages.Rows(0, done), 0, 0, 0, 2560, 0, [], null);
}
