using System.CommandLine;
using System.Text.Json;
using Taba.Grains.Words;
using Taba.Storage.Manifests;

namespace Taba.Client.Commands;

/// <summary><c>taba store ls</c></summary>
static class StoreListCommand
{
    const int UsersShown = 3;

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
            foreach (var stage in stages.OrderByDescending(s => s.LastWrite))
                Print(services.Terminal.Output, stage, users[stage.Key].ToList(), json);
            if (!json)
                services.Terminal.Output.WriteLine(
                    $"{stages.Count} stages, {Quantities.Bytes(stages.Sum(s => s.Bytes))} in {target.Place}");
            return ExitStatus.Done;
        }, interrupted));
        return command.WithExamples("taba store ls", "taba store ls --out results --json", "taba store ls --cluster lab");
    }

    public static void Print(TextWriter output, StoredStage stage, IReadOnlyList<string> users, bool json)
    {
        var words = stage.Spec is { } spec ? StageWords.Of(spec) : "(its description cannot be read)";
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new
            {
                key = stage.Key,
                rows = stage.Rows.Count,
                bytes = stage.Bytes,
                last_write = stage.LastWrite,
                description = words,
                used_by = users,
            }));
            return;
        }
        var shown = users.Count == 0 ? "no run" : string.Join(", ", users.Take(UsersShown))
            + (users.Count > UsersShown ? $" and {users.Count - UsersShown} more" : "");
        output.WriteLine(
            $"{stage.Key}  {stage.Rows.Count,8} rows  {Quantities.Bytes(stage.Bytes),10}  {stage.LastWrite:yyyy-MM-dd HH:mm}  {words}");
        output.WriteLine($"{"",34}used by {shown}");
    }
}
