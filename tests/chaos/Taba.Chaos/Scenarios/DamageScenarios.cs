using System.Globalization;
using System.Text.Json;
using Npgsql;
using Taba.Testing;
using Taba.Testing.Clusters;

namespace Taba.Chaos.Scenarios;

/// <summary>What was written is not what is read: bytes of the store, and a row of the database.</summary>
static class DamageScenarios
{
    const int Objects = 2;
    const int Looks = 5;

    /// <summary>Rows of a cell.</summary>
    const int CellRows = 32;

    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(3);

    public static IEnumerable<Scenario> Of() =>
    [
        new("damaged-object", $"{Objects} objects of one sweep get a flipped bit and a cell is cut short, while dependents read them", _ =>
            ObjectsAsync()),
        new("damaged-stage", "the database's row of one sweep's stage is garbage; the sweep is cancelled", _ => StageAsync()),
    ];

    static async Task<ScenarioResult> ObjectsAsync()
    {
        var calm = await CalmAsync();
        var hurt = await HurtAsync();
        var again = await CalmAsync();
        return hurt with
        {
            Faults = [.. hurt.Faults, .. calm.Faults, .. again.Faults],
            Notes = [.. hurt.Notes, Beside(new SweepPair(SweepPair.Medium).Forward, hurt, calm, again)],
        };
    }

    static async Task<ScenarioResult> HurtAsync()
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        var damaged = await DamageAsync(run);
        var result = await run.EndAsync();
        var silos = string.Concat(run.Cluster.Silos.Values.Select(s => s.Errors));
        foreach (var name in damaged)
        {
            var (bySilo, byCommand) = (Names(silos, name), Names(run.ClientsSaid, name));
            run.Note($"{name}: named by {(bySilo ? "a silo" : byCommand ? "the command" : "nobody")}");
            if (!bySilo && !byCommand)
                run.Fault($"nobody named {name}");
        }
        await run.CommandAsync("store", "verify");
        return result;
    }

    static bool Names(string said, string name) => said.Contains(name, StringComparison.Ordinal);

    /// <summary>The same sweeps in peace.</summary>
    static async Task<ScenarioResult> CalmAsync()
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        return await run.EndAsync();
    }

    /// <summary>
    /// Flips a bit in objects of the stage that only one sweep has, as soon as they are there, and cuts one of its cells short.
    /// </summary>
    /// <returns>What was damaged, by its name in the store.</returns>
    static async Task<List<string>> DamageAsync(ChaosRun run)
    {
        var store = run.Cluster.StoreFolder;
        var damaged = new List<string>();
        string? stage = null;
        await ChaosRun.UntilAsync(() => (stage ??= SwappedInversion(store)) is not null, "a stage of the swap was written down");
        for (var i = 0; i < Objects; i++)
        {
            string? file = null;
            await ChaosRun.UntilAsync(
                () => (file = Of(StoreManifests.Objects(store), stage!).FirstOrDefault(f => !damaged.Contains(Name(store, f)))) is not null,
                "an object of the swap was published");
            Flip(file!);
            damaged.Add(Name(store, file!));
        }
        // One whose objects are whole: each damage is to be named for itself.
        var hurt = damaged.Select(FirstRowOf).ToHashSet();
        string? cell = null;
        await ChaosRun.UntilAsync(
            () => (cell = Of(StoreManifests.Versions(store), stage!).FirstOrDefault(
                v => !hurt.Contains(FirstRowOf(Path.GetDirectoryName(v)!)))) is not null,
            "another cell of the swap was written");
        using (var file = new FileStream(cell!, FileMode.Open, FileAccess.Write))
            file.SetLength(file.Length / 2);
        damaged.Add(Name(store, cell!));
        return damaged;
    }

    /// <summary>Of the cell with that name, or of the one with an object's rows: attempts are named after their first rows.</summary>
    static int FirstRowOf(string file)
    {
        var attempt = Path.GetFileName(Path.GetExtension(file).Length > 0 ? Path.GetDirectoryName(file)! : file);
        return int.Parse(attempt.Split('-')[0], CultureInfo.InvariantCulture) / CellRows * CellRows;
    }

    static void Flip(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = stream.Length - 5;
        var old = stream.ReadByte();
        stream.Position--;
        stream.WriteByte((byte)(old ^ 1));
    }

    static string Name(string store, string file) => Path.GetRelativePath(store, file);

    static IEnumerable<string> Of(IEnumerable<string> files, string stage) =>
        files.Where(f => f.Contains(stage, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>
    /// When a sweep ended in a run in which the other one was hurt, beside two runs in which it was not, one before and one after. How far
    /// these two differ is the noise.
    /// </summary>
    static string Beside(ChaosSweep sweep, ScenarioResult hurt, ScenarioResult before, ScenarioResult after)
    {
        var (here, first, second) = (hurt.Ends[sweep.Name], before.Ends[sweep.Name], after.Ends[sweep.Name]);
        return FormattableString.Invariant(
            $"the other sweep ended after {here.Wall.TotalSeconds:F0} s and {here.Evaluations} evaluations of the cluster, beside ")
            + FormattableString.Invariant($"{first.Wall.TotalSeconds:F0} s and {first.Evaluations} before, ")
            + FormattableString.Invariant($"{second.Wall.TotalSeconds:F0} s and {second.Evaluations} afterwards");
    }

    static async Task<ScenarioResult> StageAsync()
    {
        var before = await CancelledAsync(damage: false);
        var hurt = await CancelledAsync(damage: true);
        var after = await CancelledAsync(damage: false);
        return hurt with
        {
            Faults = [.. hurt.Faults, .. before.Faults, .. after.Faults],
            Notes =
            [
                .. hurt.Notes, Beside(new SweepPair(SweepPair.Medium).Forward, hurt, before, after),
                .. before.Notes.Select(n => $"without damage: {n}"),
            ],
        };
    }

    /// <summary>
    /// Cancels one of the sweeps in the middle, at once, or after its stage was damaged and it was looked at some times. So the other one
    /// has the devices for itself from the same moment on in both.
    /// </summary>
    static async Task<ScenarioResult> CancelledAsync(bool damage)
    {
        await using var run = await ChaosRun.StartAsync(new SweepPair(SweepPair.Medium), ChaosRun.Workers(3));
        await run.StartClientsAsync();
        string? stage = null;
        await ChaosRun.UntilAsync(
            () => (stage ??= SwappedInversion(run.Cluster.StoreFolder)) is not null, "a stage of the swap was written down");
        await run.ReachAsync(0.3);
        var (swap, looks) = (run.Sweeps.Swap, new List<TimeSpan>());
        if (damage)
        {
            await SpoilAsync(run.Cluster, stage!);
            var said = "";
            for (var i = 0; i < Looks; i++)
            {
                await Task.Delay(s_lookEvery);
                var (status, took) = await run.CommandAsync("status", swap.Name);
                looks.Add(took);
                said = status.Split('\n').FirstOrDefault(l => l.Contains("does not answer", StringComparison.Ordinal))?.Trim() ?? said;
            }
            run.Note($"\"{said}\"");
            if (said.Length == 0)
                run.Fault("no status said that the stage does not answer");
        }
        else
        {
            looks.Add((await run.CommandAsync("status", swap.Name)).Took);
        }
        var (word, cancelled) = await run.CommandAsync("cancel", swap.Name);
        if (!word.Contains("cancelled", StringComparison.Ordinal))
            run.Fault($"cancel said: {word}");
        run.Note(FormattableString.Invariant(
            $"status took at most {looks.Max().TotalSeconds:F1} s and cancel {cancelled.TotalSeconds:F1} s, with the command's start"));
        run.DoNotJudge(swap);
        return await run.EndAsync();
    }

    /// <summary>
    /// Another writer put garbage in the place of a stage's state: the grain that has it in memory meets a version that it does not know,
    /// and reads it anew.
    /// </summary>
    static async Task SpoilAsync(TestCluster cluster, string stage)
    {
        await using var data = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString);
        await using var command = data.CreateCommand(
            "UPDATE taba_grain_state SET payload = substr(payload, 1, 40), version = version + 1 "
            + $"WHERE state = 'stage' AND key_text LIKE '%{stage}%'");
        if (await command.ExecuteNonQueryAsync() is var rows and not 1)
            throw new InvalidOperationException($"{rows} rows of the database are the state of stage {stage}.");
    }

    /// <summary>The key of the inversion with a swap, which nobody else needs; null when there is none yet.</summary>
    static string? SwappedInversion(string store)
    {
        var stages = Path.Combine(store, "stages");
        return Directory.Exists(stages)
            ? Directory.GetDirectories(stages).Where(IsSwapped).Select(Path.GetFileName).FirstOrDefault()
            : null;
    }

    static bool IsSwapped(string stage)
    {
        var file = Path.Combine(stage, "stage.json");
        return File.Exists(file) && JsonDocument.Parse(File.ReadAllBytes(file)).RootElement.GetProperty("spec").TryGetProperty(
            "swap", out var swap) && swap.ValueKind == JsonValueKind.Object;
    }
}
