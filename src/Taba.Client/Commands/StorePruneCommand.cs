using System.CommandLine;
using Taba.Grains.Words;
using Taba.Storage.Manifests;

namespace Taba.Client.Commands;

/// <summary><c>taba store prune</c></summary>
static class StorePruneCommand
{
    public static Command Create(CommandServices services)
    {
        var flags = new StoreFlags();
        var dryRun = Flags.Switch("dry_run", "Only say what would go.");
        var stageKey = Flags.Of<string?>(
            "stage", "The key of one stage to be removed, whoever names it: the next run that needs it computes it anew.");
        var command = new Command(
            "prune",
            "Removes stages that no run folder beside the store and no live sweep of the cluster names; unfinished sweeps of a folder "
            + "lose theirs.");
        flags.AddTo(command);
        command.Options.Add(stageKey);
        command.Options.Add(dryRun);
        command.SetAction((parsed, interrupted) => flags.WithAsync(parsed, services, async target =>
        {
            using var alone = target.Lock();
            var store = target.Store(mends: true);
            var users = await target.UsersAsync(interrupted);
            var stages = await store.ListStagesAsync(interrupted).ToListAsync(interrupted);
            var doomed = parsed.GetValue(stageKey) is not { } key ? stages.Where(s => !users.Contains(s.Key)).ToList()
                : stages.Where(s => s.Key == key).ToList() is { Count: 1 } one ? one
                : throw new BadInputException($"The store {target.Place} has no stage '{key}': 'taba store ls' names those it has.");
            var (dry, json) = (parsed.GetValue(dryRun), flags.Json(parsed));
            foreach (var stage in doomed)
            {
                if (!dry)
                    await store.RemoveStageAsync(stage.Key, interrupted);
                StoreListCommand.Print(services.Terminal.Output, stage, [.. users[stage.Key]], json);
            }
            if (!json)
                services.Terminal.Output.WriteLine(
                    $"{(dry ? "would remove" : "removed")} {doomed.Count} stages, {Quantities.Bytes(doomed.Sum(s => s.Bytes))}");
            return ExitStatus.Done;
        }, interrupted));
        return command.WithExamples("taba store prune --dry_run", "taba store prune --out results", "taba store prune --cluster lab");
    }
}
