using System.Runtime.InteropServices;
using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>Ctrl-C and SIGTERM end a run in order: exit status 130, how to go on, and nothing lost.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class InterruptTests(ReferenceSweep reference) : IClassFixture<ReferenceSweep>
{
    [Theory]
    [InlineData(PosixSignal.SIGINT, 0.2)]
    [InlineData(PosixSignal.SIGTERM, 0.6)]
    public async Task Signal_MidRun_TheSameCommandGoesOnWithoutLoss(PosixSignal signal, double moment)
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        using var run = bench.StartSweep();
        Assert.True(await run.UntilAsync(
            () => bench.Evaluations > moment * ReferenceSweep.Planned), "The run ended before it could be interrupted.");

        if (signal == PosixSignal.SIGINT)
            run.Interrupt();
        else
            run.Terminate();
        var interrupted = (await run.EndAsync()).ShouldEnd(130);

        Assert.Contains("to go on: taba run sweep.yaml --out out", interrupted.LastWord);
        Assert.DoesNotContain("fail:", interrupted.Errors);
        Assert.InRange(bench.Evaluations, 1, ReferenceSweep.Planned - 1);
        (await bench.RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(ReferenceSweep.Planned, bench.Evaluations);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
    }

    [Fact]
    public async Task Lock_SecondCommandOnOneStore_IsToldWhoHoldsIt()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        using var first = bench.StartSweep();
        Assert.True(await first.UntilAsync(() => bench.Evaluations > 0), "The first command ended before the second could start.");

        var second = (await bench.RunSweepAsync()).ShouldEnd(3);

        Assert.Contains($"process {first.Id}", second.LastWord);
        Assert.Contains("run sweep.yaml --out out", second.LastWord);
        (await first.EndAsync()).ShouldEnd(0);
        Assert.Equal(ReferenceSweep.Planned, bench.Evaluations);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
    }
}
