using System.CommandLine;
using System.Text.Json;
using Taba.Client.Hosts;
using Taba.Silo.Clusters;

namespace Taba.Client.Commands;

/// <summary><c>taba cluster init|migrate|check</c>: the schema of a cluster's database, by whoever administers it.</summary>
static class ClusterCommand
{
    public static Command Create(CommandServices services) =>
        new Command("cluster", "The schema of a cluster's database: for its administrator. Redis needs none.")
        {
            Change(
                services, "init", "Makes the schema in an empty database, or the tables of an account.", ClusterSchema.InitAsync,
                refuses: before => before.Found > 0 && !before.Fits),
            Change(
                services, "migrate", "Brings the schema to this build's version. It never goes back.", ClusterSchema.MigrateAsync,
                refuses: before => before.Found > before.Known),
            Check(services),
        }.WithExamples("taba cluster init --cluster lab", "taba cluster migrate --cluster lab", "taba cluster check --cluster lab --json");

    static Command Change(
        CommandServices services, string name, string description,
        Func<TabaClusterOptions, CancellationToken, Task<SchemaState>> change, Func<SchemaState, bool> refuses)
    {
        var flags = new ClusterFlags();
        var command = flags.AddTo(new Command(name, description));
        command.SetAction(async (parsed, interrupted) =>
        {
            var options = ClusterSettings.Read(SettingsFiles.Read(), flags.Cluster(parsed));
            var before = await AnsweredAsync(change(options, interrupted));
            if (refuses(before))
                throw new BadInputException(before.Found > before.Known
                    ? $"Cluster {options.Name} has schema version {before.Found}, and this build knows {before.Known}: nothing goes back. "
                        + "Use the newer build."
                    : $"{before.Misfit(options.Name)}.");
            var changed = before.Found < before.Known;
            Say(services.Terminal, flags.Json(parsed), options, changed ? before with { Found = before.Known } : before,
                !changed ? $"Cluster {options.Name} has schema version {before.Found} already: nothing to do."
                : before.Found == 0 ? $"Cluster {options.Name}: schema version {before.Known} is made."
                : $"Cluster {options.Name}: the schema is brought from version {before.Found} to {before.Known}.",
                before.Found);
            return ExitStatus.Done;
        });
        return command.WithExamples($"taba cluster {name} --cluster lab");
    }

    static Command Check(CommandServices services)
    {
        var flags = new ClusterFlags();
        var command = flags.AddTo(new Command("check", "Whether this build works with the schema that is there. Changes nothing."));
        command.SetAction(async (parsed, interrupted) =>
        {
            var options = ClusterSettings.Read(SettingsFiles.Read(), flags.Cluster(parsed));
            var state = await AnsweredAsync(ClusterSchema.LookAsync(options, interrupted));
            Say(services.Terminal, flags.Json(parsed), options, state, state.Fits
                ? $"Cluster {options.Name} has schema version {state.Found}, and this build works with it."
                : $"{Sentences.Of(state.Misfit(options.Name))}", state.Found);
            return state.Fits ? ExitStatus.Done : ExitStatus.Failed;
        });
        return command.WithExamples("taba cluster check --cluster lab");
    }

    static void Say(Terminal terminal, bool json, TabaClusterOptions options, SchemaState state, string text, int from) =>
        terminal.Output.WriteLine(!json ? text : JsonSerializer.Serialize(new
        {
            cluster = options.Name,
            provider = options.Provider,
            schema = state.Found,
            from,
            known = state.Known,
            fits = state.Fits,
            message = text,
        }));

    static async Task<T> AnsweredAsync<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (ClusterUnreachableException exception)
        {
            throw new RunFailedException(exception.Message, exception) { Begun = false };
        }
    }
}
