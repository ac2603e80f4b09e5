using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;

namespace Taba.Chaos.Scenarios;

/// <summary>The machine of one silo is not as it should be, and everything else is.</summary>
static class MachineScenarios
{
    const string Victim = "w2";

    /// <summary>Debian's package libfaketime; a silo that has it asks it for the time of day.</summary>
    const string FakeTime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

    static readonly TimeSpan s_full = TimeSpan.FromSeconds(30);
    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);

    public static IEnumerable<Scenario> Of() =>
    [
        new("full-scratch", "tensors in Azurite; the scratch disk of one of three silos is full for 30 s", FullScratchAsync),
        new("clock", "the clock of one of three silos is set a day ahead while it works, and later back", ClockAsync),
    ];

    static async Task<ScenarioResult> FullScratchAsync(Random random)
    {
        // With a store in a folder the scratch is the store's own, and all silos have it. With a container each has one below TMPDIR.
        var cluster = await TestCluster.StartAsync(azurite: true);
        using var disk = SmallDisk.TryMount(64 << 10, out var reason) ?? throw new InvalidOperationException(reason);
        cluster.SettingsOf[Victim] = new() { ["TMPDIR"] = disk.Path };
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Large), ChaosRun.Workers(3), cluster);
        await run.StartClientsAsync();
        await run.ReachAsync(0.1 + 0.1 * random.NextDouble());
        var began = run.Now;
        disk.Fill();
        var named = await NamedAsync(run);
        run.Note(named is null ? "no status named the silo" : $"a status named it after {(run.Now - began).TotalSeconds:F1} s: {named}");
        if (named is null)
            run.Fault($"no status of a sweep named {Victim}");
        if (run.Now - began < s_full)
            await Task.Delay(s_full - (run.Now - began));
        var full = run.Now;
        disk.MakeRoom();
        var result = await run.EndAsync();
        return result with { Notes = [.. result.Notes, .. Shares(result, run.Seen, began, full)] };
    }

    /// <summary>Asks both sweeps how they stand until one names the silo.</summary>
    /// <returns>The line that does; null when none did while the disk was full.</returns>
    static async Task<string?> NamedAsync(ChaosRun run)
    {
        for (var began = run.Now; run.Now - began < s_full; await Task.Delay(s_lookEvery))
        {
            foreach (var sweep in run.Sweeps.Both)
            {
                var (status, _) = await run.CommandAsync("status", sweep.Name);
                if (status.Split('\n').FirstOrDefault(line => line.Contains($"host {Victim} ", StringComparison.Ordinal)) is { } line)
                    return $"\"{line.Trim()}\"";
            }
        }
        return null;
    }

    /// <summary>What the others did before the disk was full and while it was, and when its silo computed again.</summary>
    static IEnumerable<string> Shares(ScenarioResult result, IReadOnlyList<SeenEvaluation> seen, TimeSpan began, TimeSpan full)
    {
        var made = EvaluationTrace.FirstTimes(seen).ToList();
        var before = made.Where(e => e.At < began).ToList();
        var others = made.Where(e => e.At >= began && e.At < full && e.Silo != Victim).ToList();
        var victim = seen.Where(e => e.Silo == Victim).ToList();
        yield return $"all three made {Rate(before.Count, began - before[0].At)} evaluations a second before, and the two others "
            + $"{Rate(others.Count, full - began)} while it was full; {result.Made - result.Planned} evaluations were made twice";
        yield return $"it made {victim.Count(e => e.At >= began && e.At < full)} evaluations while it was full, and "
            + $"{victim.Count(e => e.At >= full)} afterwards"
            + (victim.Any(e => e.At >= full) ? $", the first {(victim.First(e => e.At >= full).At - full).TotalSeconds:F1} s later" : "");
    }

    static string Rate(int count, TimeSpan time) => FormattableString.Invariant($"{count / time.TotalSeconds:F0}");

    static async Task<ScenarioResult> ClockAsync(Random random)
    {
        if (!File.Exists(FakeTime))
            throw new InvalidOperationException($"{FakeTime} is missing: apt-get install libfaketime");
        var cluster = await TestCluster.StartAsync();
        var clock = Path.Combine(cluster.Folder, "clock");
        await File.WriteAllTextAsync(clock, "+0");
        // Times of files are the file server's, and the monotonic clock is nobody's to set.
        cluster.SettingsOf[Victim] = new()
        {
            ["LD_PRELOAD"] = FakeTime, ["FAKETIME_TIMESTAMP_FILE"] = clock, ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1", ["NO_FAKE_STAT"] = "1",
        };
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Large), ChaosRun.Workers(3), cluster);
        var others = cluster.Silos.Where(s => s.Key != Victim).Select(s => s.Value).ToList();
        await run.StartClientsAsync();
        await run.ReachAsync(0.15 + 0.1 * random.NextDouble());
        var began = run.Now;
        var victim = cluster.Silos[Victim];
        await File.WriteAllTextAsync(clock, "+1d");
        run.Disturb(Victim);
        await ChaosRun.UntilAsync(() => victim.HasExited, "the silo whose clock was set left");
        run.Note(FormattableString.Invariant($"it left after {(run.Now - began).TotalSeconds:F1} s"));
        await RefusedAsync(run, victim);
        await run.ReachAsync(0.5);
        await File.WriteAllTextAsync(clock, "+0");
        var right = run.Now;
        foreach (var other in others.Where(o => o.HasExited))
            run.Fault($"{other.Name} ended: {other.Errors}");
        var result = await run.EndAsync();
        var again = run.Seen.FirstOrDefault(e => e.Silo == Victim && e.At > right);
        return again == default
            ? result with { Faults = [.. result.Faults, "it computed nothing after its clock was right again"] }
            : result with
            {
                Notes =
                [
                    .. result.Notes,
                    FormattableString.Invariant($"it computed again {(again.At - right).TotalSeconds:F1} s after its clock was right"),
                ],
            };
    }

    /// <summary>Its supervisor starts it again, and it is told what is wrong.</summary>
    static async Task RefusedAsync(ChaosRun run, ProgramProcess left)
    {
        const string Words = "the clock of this machine is ";
        if (!left.Errors.Contains(Words, StringComparison.Ordinal))
            run.Fault($"it left and did not say why: {left.Errors}");
        await ChaosRun.UntilAsync(
            () => run.Cluster.Silos[Victim] is var silo && silo != left && silo.HasExited, "the silo was refused when it began again");
        var said = run.Cluster.Silos[Victim].Errors.Split('\n').FirstOrDefault(l => l.Contains(Words, StringComparison.Ordinal));
        if (said is null)
            run.Fault($"it was not refused by a sentence: {run.Cluster.Silos[Victim].Errors}");
        run.Note($"\"{said}\"");
    }
}
