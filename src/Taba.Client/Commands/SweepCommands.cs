using System.CommandLine;
using System.Text.Json;
using Taba.Client.Clusters;
using Taba.Client.Progress;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>
/// <c>taba list</c>, <c>status</c>, <c>watch</c>, <c>logs</c>, <c>pause</c>, <c>resume</c>, <c>cancel</c>, <c>retry</c>: the sweeps of a
/// cluster.
/// </summary>
static class SweepCommands
{
    public const string IdDescription = "A sweep's id, the beginning of one, or its name.";

    public static IEnumerable<Command> Create(CommandServices services) =>
    [
        List(services), StatusCommand.Create(services), WatchCommand.Create(services), Logs(services), .. SteerCommands.Create(services),
    ];

    static Command List(CommandServices services)
    {
        var flags = new ClusterFlags();
        var command = flags.AddTo(new Command("list", "Sweeps of a cluster: those that live, and those that ended last."));
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var all = await sweeps.AllAsync(interrupted);
            if (flags.Json(parsed))
            {
                foreach (var sweep in all)
                    services.Terminal.Output.WriteLine(JsonSerializer.Serialize(SweepJson.Of(sweep)));
            }
            else
                SweepTables.WriteList(services.Terminal.Output, all);
            return ExitStatus.Done;
        });
        return command.WithExamples("taba list", "taba list --cluster lab --json");
    }

    static Command Logs(CommandServices services)
    {
        var flags = new ClusterFlags();
        var id = new Argument<string>("ID") { Description = IdDescription };
        var command = flags.AddTo(new Command(
            "logs", "What happened to a sweep, the oldest first: who did what, hosts that failed, parts that were lost, samples given up.")
            {
                id,
            });
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var sweep = await sweeps.FindAsync(parsed.GetValue(id)!, interrupted);
            var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
            var log = await sweeps.AskAsync(async () => await grain.GetLogAsync(), interrupted);
            if (flags.Json(parsed))
            {
                foreach (var entry in log)
                    services.Terminal.Output.WriteLine(JsonSerializer.Serialize(LogJson.Of(entry, sweep.SweepId)));
            }
            else
                SweepTables.WriteLog(services.Terminal.Output, log);
            return ExitStatus.Done;
        });
        return command.WithExamples("taba logs 3f9a", "taba logs forward-replacement --cluster lab --json");
    }
}
