using System.Globalization;

namespace Taba.Reliability.Tests;

/// <summary>A disk that fills ends a run with a sentence; with room, the same command continues.</summary>
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
        using var disk = SmallDisk.MountOrSkip(bench.At("disk"), 32 * Megabyte);
        using var run = bench.StartSweep();
        Assert.True(await run.UntilAsync(() => bench.Evaluations > moment * ReferenceSweep.Planned), "The run ended before the disk could be filled.");

        disk.Fill();
        var failed = (await run.EndAsync()).ShouldEnd(3);

        log.WriteLine(failed.LastWord);
        Assert.Contains("full", failed.LastWord);
        Assert.Contains("to go on: taba run sweep.yaml --out disk/out", failed.LastWord);
        disk.Resize(64 * Megabyte);
        (await bench.RunSweepAsync()).ShouldEnd(0);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
        Assert.InRange(bench.Evaluations, ReferenceSweep.Planned, ReferenceSweep.Planned + Workbench.Slots * Workbench.CheckpointEverySteps);
    }

    [Fact]
    public async Task Grow_StepByStep_EveryRunEndsWithASentenceUntilOneCompletes()
    {
        const string sweep = """
            name: growing
            model: gaussian.json
            samples: 40
            num_inference_steps: 10
            deterministic: true
            internal: { every: 5, tensors: [eps] }
            format: npy
            """;
        using var undisturbed = new Workbench(sweep);
        (await undisturbed.RunSweepAsync()).ShouldEnd(0);

        // Each size lets the run come a little further: to the lock, the grain state, the checkpoints, the parts, the run folder.
        using var bench = new Workbench(sweep) { Out = "disk/out" };
        var size = 1 * Megabyte;
        using var disk = SmallDisk.MountOrSkip(bench.At("disk"), size);
        CommandResult run;
        var onTheWay = 0;
        while ((run = await bench.RunSweepAsync()).ExitCode != 0)
        {
            log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{size} KiB: {run.ExitCode} {run.LastWord}"));
            run.ShouldEnd(run.ExitCode == 2 ? 2 : 3);
            onTheWay += run.ExitCode == 3 ? 1 : 0;
            size += 160;
            Assert.InRange(size, 0, 16 * Megabyte);
            disk.Resize(size);
        }

        log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{size} KiB: completed"));
        Assert.InRange(onTheWay, 1, int.MaxValue);
        SweepOutput.AssertEqual(undisturbed.OutFolder, bench.OutFolder);
    }

    [Fact]
    public async Task Run_TooLittleRoomFromTheStart_IsBadInput()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep) { Out = "disk/out" };
        using var disk = SmallDisk.MountOrSkip(bench.At("disk"), 512);

        var refused = (await bench.RunSweepAsync()).ShouldEnd(2);

        Assert.Contains("free and this run writes", refused.LastWord);
        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.At("disk")));
    }
}
