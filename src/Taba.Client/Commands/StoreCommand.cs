using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Taba.Client.Hosts;
using Taba.Client.Progress;
using Taba.Grains;
using Taba.Silo.Outputs;
using Taba.Silo.Storage;

namespace Taba.Client.Commands;

/// <summary><c>taba store ls|prune</c></summary>
static class StoreCommand
{
    const string StoreName = ".taba";

    public static Command Create(CommandServices services) =>
        new Command("store", "What a store holds, and what no run needs any more.") { List(services), Prune(services) }
            .WithExamples("taba store ls", "taba store prune --dry_run");

    static Command List(CommandServices services)
    {
        var output = OutOption();
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command("ls", "The stages of a store, with rows and sizes.") { output, json };
        command.SetAction(async (parsed, interrupted) =>
        {
            var stages = await OpenStore(parsed.GetValue(output)!).ListStagesAsync(interrupted);
            foreach (var stage in stages.OrderByDescending(s => s.LastWrite))
                Print(services.Terminal.Output, stage, parsed.GetValue(json));
            if (!parsed.GetValue(json))
                services.Terminal.Output.WriteLine($"{stages.Length} stages, {Quantities.Bytes(stages.Sum(s => s.Bytes))}");
            return ExitStatus.Done;
        });
        return command.WithExamples("taba store ls", "taba store ls --out results --json");
    }

    static Command Prune(CommandServices services)
    {
        var output = OutOption();
        var dryRun = Flags.Switch("dry_run", "Only say what would go.");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var stageKey = Flags.Of<string?>(
            "stage", "The key of one stage to be removed, whoever names it: the next run that needs it computes it anew.");
        var command = new Command("prune", "Removes stages that no run folder beside the store names; unfinished sweeps lose theirs.")
        {
            output, stageKey, dryRun, json,
        };
        command.SetAction(async (parsed, interrupted) =>
        {
            var root = parsed.GetValue(output)!;
            var store = OpenStore(root);
            try
            {
                using var storeLock = StoreLock.Acquire(Path.Combine(root, StoreName), services.CommandLine);
                var removed = await PruneAsync(store, root, parsed.GetValue(stageKey), parsed.GetValue(dryRun), interrupted);
                foreach (var stage in removed)
                    Print(services.Terminal.Output, stage, parsed.GetValue(json));
                if (!parsed.GetValue(json))
                    services.Terminal.Output.WriteLine(
                        $"{(parsed.GetValue(dryRun) ? "would remove" : "removed")} {removed.Length} stages, "
                        + $"{Quantities.Bytes(removed.Sum(s => s.Bytes))}");
                return ExitStatus.Done;
            }
            catch (Exception e) when (e is StoreBusyException or StoreException)
            {
                throw new RunFailedException(e.Message, e);
            }
        });
        return command.WithExamples("taba store prune --dry_run", "taba store prune --out results");
    }

    static async Task<ImmutableArray<StoredStage>> PruneAsync(
        FolderTensorStore store, string root, string? stageKey, bool dryRun, CancellationToken interrupted)
    {
        if (stageKey is null)
            return await store.PruneAsync(NamedStages(root), dryRun, interrupted);
        var keys = store.StageKeys();
        return keys.Contains(stageKey)
            ? await store.PruneAsync(keys.Where(k => k != stageKey).ToHashSet(), dryRun, interrupted)
            : throw new BadInputException($"The store below {root} has no stage '{stageKey}': 'taba store ls' names those it has.");
    }

    static Option<string> OutOption() => Flags.WithDefault("out", OutputFlags.DefaultOut, "The folder that holds the store (.taba).");

    static FolderTensorStore OpenStore(string root)
    {
        var folder = Path.Combine(root, StoreName);
        return Directory.Exists(folder)
            ? new FolderTensorStore(folder)
            : throw new BadInputException($"There is no store {folder}: give the folder that holds it with --out.");
    }

    /// <summary>Keys of the stages that run folders show.</summary>
    static HashSet<string> NamedStages(string root)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        var store = Path.GetFullPath(Path.Combine(root, StoreName)) + Path.DirectorySeparatorChar;
        var keys = new HashSet<string>();
        foreach (var manifest in Directory.EnumerateFiles(root, RunFolder.ManifestName, options))
        {
            if (Path.GetFullPath(manifest).StartsWith(store, StringComparison.Ordinal))
                continue;
            try
            {
                foreach (var stage in RunFolder.Read(Path.GetDirectoryName(manifest)!)?.Stages ?? [])
                    keys.Add(stage.Key);
            }
            catch (InvalidDataException e)
            {
                // Nobody knows what a manifest that cannot be read needs, and a removed object cannot be had back.
                throw new BadInputException($"{e.Message} Nothing was removed.", e);
            }
        }
        return keys;
    }

    static void Print(TextWriter output, StoredStage stage, bool json) => output.WriteLine(json
        ? JsonSerializer.Serialize(new
        {
            key = stage.Key, rows = stage.Rows.Count, bytes = stage.Bytes, last_write =
            stage.LastWrite, description = stage.Description
        })
        : $"{stage.Key}  {stage.Rows.Count,8} rows  {Quantities.Bytes(stage.Bytes),10}  {stage.LastWrite:yyyy-MM-dd HH:mm}  "
            + $"{stage.Description}");
}
