using System.CommandLine;
using Taba.Grains.Words;
using Taba.Storage.Manifests;

namespace Taba.Client.Commands;

/// <summary><c>taba store ls</c></summary>
static class StoreListCommand
{
    public static Command Create(CommandServices services)
    {
        var flags = new StoreFlags();
        var command = new Command("ls", "The stages of a store: what each is, its rows and size, and the runs that use it.");
        flags.AddTo(command);
        command.SetAction((parsed, interrupted) => flags.WithAsync(parsed, services, async target =>
        {
            var json = flags.Json(parsed);
            var stages = await target.Store(mends: false).ListStagesAsync(interrupted).ToListAsync(interrupted);
            var users = await target.UsersAsync(interrupted);
            var written = stages.OrderByDescending(s => s.LastWrite).ThenBy(s => s.Key, StringComparer.Ordinal).ToList();
            var table = new StoredStages(stages, users);
            if (json)
                table.WriteJson(services.Terminal.Output, written);
            else
            {
                table.Write(services.Terminal.Output, written);
                services.Terminal.Output.WriteLine(
                    $"{stages.Count} stages, {Quantities.Bytes(stages.Sum(s => s.Bytes))} in {target.Place}");
            }
            return ExitStatus.Done;
        }, interrupted));
        return command.WithExamples("taba store ls", "taba store ls --out results --json", "taba store ls --cluster lab");
    }
}
