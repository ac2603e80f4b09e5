using Taba.Testing;
using Taba.Testing.Commands;

namespace Taba.Reliability.Tests;

/// <summary>Ctrl-C and SIGTERM end a run in order: exit status 130, how to go on, and nothing lost.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class InterruptTests(ReferenceSweep reference) : IClassFixture<ReferenceSweep>
{
    const int SigHup = 1, SigInt = 2, SigUsr1 = 10, SigTerm = 15;

    [Theory]
    [InlineData(SigInt, 0.2)]
    [InlineData(SigTerm, 0.6)]
    [InlineData(SigHup, 0.4)]
    [InlineData(SigUsr1, 0.8)]
    public async Task Signal_MidRun_TheSameCommandGoesOnWithoutLoss(int signal, double moment)
    {
        // The rest of the run takes a second or less: on a machine that stalls it may be over before the signal comes.
        for (var attempt = 1; !await IsInterruptedAsync(signal, moment); attempt++)
            Assert.True(attempt < 5, "Every run ended before its signal came.");
    }

    /// <returns>False when the run was done before it was interrupted.</returns>
    async Task<bool> IsInterruptedAsync(int signal, double moment)
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        using var run = bench.StartSweep();
        Assert.True(await run.UntilAsync(
            () => bench.Evaluations > moment * ReferenceSweep.Planned), "The run ended before it could be interrupted.");

        run.Send(signal);
        var interrupted = await run.EndAsync();
        if (interrupted.Status == 0 && bench.Evaluations == ReferenceSweep.Planned)
            return false;
        interrupted.ShouldEnd(130);

        Assert.Contains($"to go on: {string.Join(' ', Programs.Taba)} run sweep.yaml --out out", interrupted.LastWord);
        Assert.DoesNotContain("fail:", interrupted.Errors);
        Assert.InRange(bench.Evaluations, 1, ReferenceSweep.Planned - 1);
        (await bench.RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(ReferenceSweep.Planned, bench.Evaluations);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
        return true;
    }

    [Fact]
    public async Task Lock_SecondCommandOnOneStore_IsToldWhoHoldsIt()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        using var first = bench.StartSweep();
        Assert.True(await first.UntilAsync(() => bench.Evaluations > 0), "The first command ended before the second could start.");

        var second = (await bench.RunAsync("run", "sweep.yaml", "--out", bench.Out, "--no_wait")).ShouldEnd(3);

        Assert.Contains($"process {first.Id}", second.LastWord);
        Assert.Contains("run sweep.yaml --out out", second.LastWord);
        (await first.EndAsync()).ShouldEnd(0);
        Assert.Equal(ReferenceSweep.Planned, bench.Evaluations);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
    }

    [Fact]
    public async Task Parts_StartedTogether_AllEndWithDone()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        var parts = Enumerable.Range(0, 3).Select(i => bench.Start(
            "sample", "gaussian", "--model", "gaussian.json", "--n_samples", "6", "--n_parts", "3", "--part_idx", $"{i}",
            "--num_inference_steps", "5", "--save_dir", "out/base")).ToList();
        foreach (var part in parts)
        {
            (await part.EndAsync()).ShouldEnd(0);
            part.Dispose();
        }
        (await bench.RunAsync(
            "merge", "out/base_part_0", "out/base_part_1", "out/base_part_2", "--save_dir", "out/whole")).ShouldEnd(0);
    }

    [Theory]
    [InlineData("2>/dev/full", 0)]
    [InlineData("2>&-", 0)]
    [InlineData(">&- 2>&-", 0)]
    [InlineData("<&- >&- 2>&-", 0)]
    [InlineData(">/dev/full", 3)]
    public async Task Stream_ThatCannotBeWritten_DoesNotEndTheRun(string streams, int status)
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        using var run = ProgramProcess.Start(
            $"taba {streams}", Programs.Taba, bench.Folder, [],
            ["sample", "gaussian", "--model", "gaussian.json", "--n_samples", "4", "--num_inference_steps", "5", "--save_dir", "out/x"],
            "/bin/sh", "-c", $"exec \"$0\" \"$@\" {streams}");
        (await run.EndAsync()).ShouldEnd(status);
        Assert.True(File.Exists(Path.Combine(bench.OutFolder, "x", "samples.pt")));
    }
}
