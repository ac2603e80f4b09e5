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
            "stage", "The key of one stage, or its beginning, to be removed, whoever names it: "
            + "the next run that needs it computes it anew.");
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
            var key = parsed.GetValue(stageKey) is { } given ? StoredStages.KeyOf(given, stages.Select(s => s.Key), target.Place) : null;
            var doomed = stages.Where(s => key is null ? !users.Contains(s.Key) : s.Key == key).ToList();
            var (dry, json) = (parsed.GetValue(dryRun), flags.Json(parsed));
            foreach (var stage in doomed)
            {
                if (!dry)
                    await store.RemoveStageAsync(stage.Key, interrupted);
            }
            var table = new StoredStages(stages, users);
            if (json)
                table.WriteJson(services.Terminal.Output, doomed);
            else
                table.Write(services.Terminal.Output, doomed);
            if (!json)
                services.Terminal.Output.WriteLine(
                    $"{(dry ? "would remove" : "removed")} {doomed.Count} stages, {Quantities.Bytes(doomed.Sum(s => s.Bytes))}");
            return ExitStatus.Done;
        }, interrupted));
        return command.WithExamples("taba store prune --dry_run", "taba store prune --out results", "taba store prune --cluster lab");
    }
}
