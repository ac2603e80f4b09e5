using Taba.Grains.Dispatch;
using Taba.Grains.Silos;
using Taba.Grains.Waits;

namespace Taba.Grains.Tests.Waits;

public sealed class IdlingTests
{
    static readonly DeviceFare s_device = new("cuda:0", Works: true, default);

    static readonly SiloFare s_silo = new(
        new("gpu-1", "gpu-1@1", SiloRole.Worker, "cuda", 0, 64), "host", TimeSpan.FromMinutes(1), [s_device]);

    static readonly FarePoint s_idle = new(0, 0, 0, 0, 0, 1, null, 20);

    static readonly DispatchStanding s_work = new(2, 0, 100, 1, [], []);

    [Fact]
    public void Of_DeviceThatComputes_DoesNotIdle() =>
        Assert.Null(Idling.Of(s_silo, s_device, new(0.6f, 0.1f, 0, 0, 0, 0.3f, 0.9f, 20), s_work, null));

    [Fact]
    public void Of_DeviceThatHangs_SaysSo() => Says(
        IdleKind.Broken, "cuda:0 takes no more work: a forward pass has been running for 400 s.",
        device: s_device with { Works = false, Trouble = "a forward pass has been running for 400 s." });

    [Fact]
    public void Of_SiloThatDrains_SaysSo() =>
        Says(IdleKind.Drains, "Its silo drains: it takes no more parts.", silo: s_silo with { Draining = true });

    [Fact]
    public void Of_ModelOnItsWay_IsNamed() => Says(
        IdleKind.Loads, "It loads the model adm.", device: s_device with { Models = [new("demo", false), new("adm", true)] });

    [Fact]
    public void Of_OutputThatIsNotTaken_IsTheDisk() => Says(
        IdleKind.OutputWait, "Results are not taken as fast as it computes them: it waits for the disk, or for its silo's processor.",
        last: new(0.2f, 0, 0.7f, 0, 0, 0.1f, 0.9f, 20));

    [Fact]
    public void Of_HostThatFailed_SaysAtWhatAndWhenItIsAskedAgain() => Says(
        IdleKind.Paused, "Its host failed at sample T=10 and is asked again in 16 s: no space left on device.",
        worker: Worker(new StagePause("key", "sample T=10", "no space left on device.", TimeSpan.FromSeconds(15.2))));

    [Fact]
    public void Of_HostThatOnlyASubmissionAsksAgain_SaysThat() => Says(
        IdleKind.Paused, "Its host failed at sample T=10 and is asked again when the sweep is submitted again: full.",
        worker: Worker(new StagePause("key", "sample T=10", "full", TimeSpan.MaxValue)));

    [Fact]
    public void Of_ModelThatIsNotThere_SaysWhich() => Says(
        IdleKind.Refuses, "Its silo cannot serve demo, and asks for nothing of it: demo is not on gpu-1.",
        silo: s_silo with { Refusals = [new("demo", "demo is not on gpu-1.")] });

    [Fact]
    public void Of_NoSweep_ThereIsNoWork() => Says(
        IdleKind.NoWork, "There is no work: no sweep lives.", work: s_work with { SweepsLive = 0, RowsReady = 0 },
        silo: s_silo with { Refusals = [new("demo", "an old refusal")] });

    [Theory]
    [InlineData(1, "The sweep that lives is paused.")]
    [InlineData(3, "All 3 sweeps that live are paused.")]
    public void Of_PausedSweeps_SaysSo(int sweeps, string text) =>
        Says(IdleKind.SweepsPaused, text, work: s_work with { SweepsLive = sweeps, SweepsPaused = sweeps, RowsReady = 0 });

    [Fact]
    public void Of_NothingReady_WaitsForInputs() => Says(
        IdleKind.InputsMissing, "All that is left to compute is out with workers, or waits for its input rows.",
        work: s_work with { RowsReady = 0 });

    [Theory]
    [InlineData(1, "Its silo prepares or publishes a part.")]
    [InlineData(2, "Its silo prepares or publishes 2 parts.")]
    public void Of_SiloThatHoldsParts_IsBetweenThem(int held, string text) =>
        Says(IdleKind.BetweenParts, text, silo: s_silo with { PartsHeld = held });

    [Fact]
    public void Of_SiloThatHoldsPartsOfItsOtherDevice_SaysWhatThisOneLacks() => Says(
        IdleKind.InputsMissing, "All that is left to compute is out with workers, or waits for its input rows.",
        silo: s_silo with { PartsHeld = 1, Devices = [s_device, s_device with { Name = "cuda:1", SlotsInUse = 32 }] },
        work: s_work with { RowsReady = 0 });

    [Fact]
    public void Of_RowsThatAreReady_AreOnTheirWay() => Says(IdleKind.HandedOut, "There is work: rows are being handed out.");

    [Fact]
    public void Of_ADispatcherThatDoesNotAnswer_IsNotGuessedAt() => Assert.Equal(
        (IdleKind.BetweenParts, "It has nothing to do; the dispatcher does not say why."),
        Idling.Of(s_silo, s_device, s_idle, null, null));

    static WorkerStanding Worker(StagePause pause) => new("gpu-1@1", TimeSpan.FromSeconds(20), [pause]);

    static void Says(
        IdleKind kind, string text, SiloFare? silo = null, DeviceFare? device = null, FarePoint? last = null, DispatchStanding? work = null,
        WorkerStanding? worker = null) =>
        Assert.Equal((kind, text), Idling.Of(silo ?? s_silo, device ?? s_device, last ?? s_idle, work ?? s_work, worker));
}
