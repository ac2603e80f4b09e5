using System.Globalization;
using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary><c>kill -9</c> in mid-run, again and again, each followed by the same command (docs/reliability.md).</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class KillTests(ITestOutputHelper log)
{
    const int Kills = 10;
    const int Seed = 20241030;

    // 32 samples: sample, three inversions and three reconstructions of 10 steps; forward and swap replace 3 steps each.
    const string Sweep = """
        name: kills
        model: tiny.json
        samples: 32
        seed: 420
        num_inference_steps: 10
        deterministic: true
        stages: [sample, invert, reconstruct]
        interventions:
          - forward: { before: 3, seed: 999 }
          - swap: { type: eps, before: 3 }
        """;

    const int Planned = 32 * (7 * 10 - 3 - 3);

    const int OfTheFirstStage = 32 * 10;

    /// <summary>Each slot loses at most the segment that it was in.</summary>
    const int LostByAKill = Workbench.Slots * Workbench.CheckpointEverySteps;

    // One part of a thousand steps: nothing is published before the end.
    const string Long = """
        name: long
        model: gaussian.json
        samples: 8
        seed: 11
        num_inference_steps: 1000
        deterministic: true
        stages: [sample]
        """;

    const string Captured = """
        name: captured
        model: tiny.json
        samples: 20
        seed: 7
        num_inference_steps: 6
        deterministic: true
        stages: [sample, invert]
        internal: true
        """;

    [Fact]
    public async Task Kill_TenRandomMoments_OutputsAreThoseOfAnUndisturbedRun()
    {
        using var reference = new Workbench(Sweep);
        await reference.RunUndisturbedAsync();
        Assert.Equal(Planned, reference.Evaluations);

        using var bench = new Workbench(Sweep);
        var random = new Random(Seed);
        var killsOfLaterStages = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            // One moment in each tenth of the first nine tenths of the work, told by the counter and not by a clock.
            var moment = (long)(Planned * 0.9 * (kill + random.NextDouble()) / Kills);
            var before = bench.Evaluations;
            await KillAsync(bench, () => bench.Evaluations > Math.Max(moment, before));
            var published = StoreManifests.Rows(bench.Store);
            // More was evaluated than the first stage and all that kills cost: a later stage was under way, whose input is published.
            if (bench.Evaluations > OfTheFirstStage + (kill * LostByAKill))
            {
                Assert.NotEmpty(published);
                killsOfLaterStages++;
            }
            log.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"kill {kill + 1}: at evaluation {bench.Evaluations} of {Planned}, {published.Count} rows published"));
        }
        await CompleteAsync(bench);

        SweepOutput.AssertEqual(reference.OutFolder, bench.OutFolder);
        // The moments see to it: from the fourth kill on even the earliest is late enough.
        Assert.InRange(killsOfLaterStages, Kills - 3, Kills);
        var most = Planned + (Kills * LostByAKill);
        log.WriteLine($"evaluations: {bench.Evaluations}, planned {Planned}, at most {most}; {killsOfLaterStages} kills of later stages");
        Assert.InRange(bench.Evaluations, Planned, most);
    }

    /// <summary>
    /// Each life gets on and none ends a part. What was computed is known to checkpoints alone: the coordinator dies with its worker.
    /// </summary>
    [Fact]
    public async Task Kill_FortyTimesInOnePart_GivesNoSampleUp()
    {
        const int Lives = 40;
        // A quick machine gets further before the kill is there: half of the run is left for that.
        const int Each = 100;
        const int Evaluations = 8 * 1000;
        using var reference = new Workbench(Long);
        await reference.RunUndisturbedAsync();
        Assert.Equal(Evaluations, reference.Evaluations);

        using var bench = new Workbench(Long);
        for (var life = 0; life < Lives; life++)
        {
            var before = bench.Evaluations;
            await KillAsync(bench, () => bench.Evaluations >= before + Each);
            Assert.Empty(StoreManifests.Rows(bench.Store));
        }
        log.WriteLine($"{bench.Evaluations} evaluations at the last of {Lives} kills");
        await CompleteAsync(bench);

        SweepOutput.AssertEqual(reference.OutFolder, bench.OutFolder);
        Assert.InRange(bench.Evaluations, Evaluations, Evaluations + (Lives * 8 * Workbench.CheckpointEverySteps));
    }

    [Fact]
    public async Task Kill_WithInternal_KeptTensorsSurvive()
    {
        using var reference = new Workbench(Captured);
        await reference.RunUndisturbedAsync();
        var planned = reference.Evaluations;

        using var bench = new Workbench(Captured);
        // In the middle of both stages, between a part's last step and its publication, and just after that.
        await KillAsync(bench, () => bench.Evaluations > planned * 0.2);
        await KillAsync(bench, Grows(() => StoreManifests.Objects(bench.Store).Count));
        await KillAsync(bench, Grows(() => StoreManifests.Versions(bench.Store).Count));
        await KillAsync(bench, () => bench.Evaluations > planned * 0.8);
        await CompleteAsync(bench);

        Assert.Contains(
            SweepFiles.Digests(bench.OutFolder).Keys, name => name.EndsWith("all_t_eps_latents.safetensors", StringComparison.Ordinal));
        SweepOutput.AssertEqual(reference.OutFolder, bench.OutFolder);
        Assert.InRange(bench.Evaluations, planned, planned + (4 * LostByAKill));
    }

    [Fact]
    public async Task Kill_WhileRunFoldersAreAssembled_OnlyTheAssemblyIsRepeated()
    {
        // 40 samples are two parts: every file is copied together, none is linked.
        const string sweep = """
            name: assembly
            model: gaussian.json
            samples: 40
            num_inference_steps: 10
            deterministic: true
            interventions:
              - forward: { before: 3 }
            """;
        using var reference = new Workbench(sweep);
        await reference.RunUndisturbedAsync();

        using var bench = new Workbench(sweep);
        var folder = Path.Combine(bench.OutFolder, "assembly");
        await KillAsync(bench, Grows(() => Files(folder, "*")));
        await KillAsync(bench, Grows(() => Files(folder, "latents.safetensors")));
        await KillAsync(bench, Grows(() => Files(folder, "metrics.json")));
        await KillAsync(bench, Grows(() => Files(folder, "manifest.json")));
        Assert.Equal(reference.Evaluations, bench.Evaluations);
        await CompleteAsync(bench);

        Assert.Equal(reference.Evaluations, bench.Evaluations);
        SweepOutput.AssertEqual(reference.OutFolder, bench.OutFolder);
    }

    static int Files(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories).Count() : 0;

    /// <summary>The moment at which there is one more than there were: a start may first delete what a kill left.</summary>
    static Func<bool> Grows(Func<int> count)
    {
        var lowest = int.MaxValue;
        return () =>
        {
            var now = count();
            lowest = Math.Min(lowest, now);
            return now > lowest;
        };
    }

    /// <summary>Starts the command, kills it when the condition holds, and sees that it left published rows alone.</summary>
    static async Task KillAsync(Workbench bench, Func<bool> moment)
    {
        var published = StoreManifests.Rows(bench.Store);
        var evaluated = Journal.Read(bench.JournalFile).Count;
        using var run = bench.StartSweep();
        Assert.True(await run.UntilAsync(moment), "The run ended before it could be killed.");
        run.Kill();
        await run.EndAsync();
        AssertPublishedRowsAreLeftAlone(bench, published, evaluated);
    }

    static async Task CompleteAsync(Workbench bench)
    {
        var published = StoreManifests.Rows(bench.Store);
        var evaluated = Journal.Read(bench.JournalFile).Count;
        (await bench.RunSweepAsync()).ShouldEnd(0);
        AssertPublishedRowsAreLeftAlone(bench, published, evaluated);
    }

    static void AssertPublishedRowsAreLeftAlone(Workbench bench, HashSet<(string Stage, int Row)> published, int evaluated) =>
        Assert.DoesNotContain(Journal.Read(bench.JournalFile).Skip(evaluated), published.Contains);
}
