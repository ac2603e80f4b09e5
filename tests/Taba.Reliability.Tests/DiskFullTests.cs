using System.Globalization;
using Taba.Testing;
using Taba.Testing.Client;
using Taba.Testing.Commands;

namespace Taba.Reliability.Tests;

/// <summary>A disk that fills ends a run with a sentence; with room, the same command continues.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class DiskFullTests(ReferenceSweep reference, ITestOutputHelper log) : IClassFixture<ReferenceSweep>
{
    const int Megabyte = 1024;

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.4)]
    [InlineData(0.8)]
    public async Task Fill_MidRun_TheSameCommandContinuesAfterRoomIsMade(double moment)
    {
        using var bench = new Workbench(ReferenceSweep.Sweep) { Out = "disk/out" };
        using var disk = Disks.MountOrSkip(bench.At("disk"), 32 * Megabyte);
        using var run = bench.StartSweep();
        Assert.True(await run.UntilAsync(
            () => bench.Evaluations > moment * ReferenceSweep.Planned), "The run ended before the disk could be filled.");

        disk.Fill();
        var failed = (await run.EndAsync()).ShouldEnd(3);

        log.WriteLine(failed.LastWord);
        Assert.Contains("full", failed.LastWord);
        Assert.DoesNotContain("fail:", failed.Errors);
        Assert.Contains($"to go on: {string.Join(' ', Programs.Taba)} run sweep.yaml --out disk/out", failed.LastWord);
        disk.Resize(64 * Megabyte);
        (await bench.RunSweepAsync()).ShouldEnd(0);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
        Assert.InRange(
            bench.Evaluations, ReferenceSweep.Planned, ReferenceSweep.Planned + Workbench.Slots * Workbench.CheckpointEverySteps);
    }

    [Fact]
    public async Task Fill_AtTheStartToEverMoreRoom_EveryRunEndsWithASentenceUntilOneCompletes()
    {
        const string sweep = """
            name: growing
            model: gaussian.json
            samples: 40
            num_inference_steps: 10
            deterministic: true
            internal: { steps: every 5, tensors: [eps] }
            format: npy
            """;
        using var undisturbed = new Workbench(sweep);
        await undisturbed.RunUndisturbedAsync();

        // The room that is left lets each run come a little further: to the grain state, the checkpoints, the parts, the run folder.
        using var bench = new Workbench(sweep) { Out = "disk/out" };
        using var disk = Disks.MountOrSkip(bench.At("disk"), 16 * Megabyte);
        for (var left = 0; ; left += 160)
        {
            Assert.InRange(left, 0, 8 * Megabyte);
            var run = InProcess.RunAsync("run", bench.At("sweep.yaml"), "--out", bench.OutFolder);
            // It has the lock: what it estimated before no longer holds.
            await UntilAsync(() => File.Exists(Path.Combine(bench.Store, "lock.json")), run);
            disk.Fill(left);
            var ended = await run;
            log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{left} KiB left: {ended.Status} {ended.LastWord}"));
            ended.ShouldEnd(left == 0 || ended.Status != 0 ? 3 : 0);
            disk.MakeRoom();
            if (ended.Status == 0)
                break;
            Assert.Contains("full", ended.LastWord);
        }
        SweepOutput.AssertEqual(undisturbed.OutFolder, bench.OutFolder);
    }

    [Fact]
    public async Task Run_TooLittleRoomFromTheStart_IsBadInput()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep) { Out = "disk/out" };
        using var disk = Disks.MountOrSkip(bench.At("disk"), 512);

        var refused = (await bench.RunSweepAsync()).ShouldEnd(2);

        Assert.Contains("free and this run writes", refused.LastWord);
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.At("disk")));
    }

    static async Task UntilAsync(Func<bool> condition, Task run)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!condition())
        {
            Assert.False(run.IsCompleted, "The run ended before the disk could be filled.");
            await look.WaitForNextTickAsync();
        }
    }
}
