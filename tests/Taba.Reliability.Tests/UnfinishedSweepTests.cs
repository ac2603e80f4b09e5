using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>What a killed command left in a store is taken up by the same command, and by no other.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class UnfinishedSweepTests(ReferenceSweep reference) : IClassFixture<ReferenceSweep>
{
    [Fact]
    public async Task Run_AnotherSweepAfterAKill_WorksOnItsOwnRowsOnly()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        await KillAsync(bench, 0.3);
        var evaluated = Journal.Read(bench.JournalFile).Count;

        (await bench.RunAsync("run", "sweep.yaml", "name=smaller", "samples=4", "--out", "out")).ShouldEnd(0);

        var smaller = Journal.Read(bench.JournalFile).Skip(evaluated).ToList();
        Assert.NotEmpty(smaller);
        Assert.DoesNotContain(smaller, e => e.Row >= 4);
        (await bench.RunSweepAsync()).ShouldEnd(0);
        Assert.Equal(
            SweepFiles.Digests(Path.Combine(reference.Folder, "disturbed")),
            SweepFiles.Digests(Path.Combine(bench.OutFolder, "disturbed")));
    }

    [Fact]
    public async Task Run_OverwriteAfterAKill_ComputesEverythingAnew()
    {
        using var bench = new Workbench(ReferenceSweep.Sweep);
        await KillAsync(bench, 0.7);
        var evaluated = bench.Evaluations;

        (await bench.RunAsync("run", "sweep.yaml", "--overwrite", "--out", "out")).ShouldEnd(0);

        Assert.Equal(ReferenceSweep.Planned, bench.Evaluations - evaluated);
        SweepOutput.AssertEqual(reference.Folder, bench.OutFolder);
    }

    static async Task KillAsync(Workbench bench, double moment)
    {
        using var run = bench.StartSweep();
        Assert.True(
            await run.UntilAsync(() => bench.Evaluations > moment * ReferenceSweep.Planned), "The run ended before it could be killed.");
        run.Kill();
        await run.EndAsync();
    }
}
