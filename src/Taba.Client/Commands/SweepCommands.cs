using System.CommandLine;
using System.Text.Json;
using Taba.Client.Clusters;
using Taba.Client.Progress;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Commands;

/// <summary>
/// <c>taba list</c>, <c>status</c>, <c>watch</c>, <c>pause</c>, <c>resume</c>, <c>cancel</c>, <c>retry</c>: the sweeps of a
/// cluster.
/// </summary>
static class SweepCommands
{
    public static IEnumerable<Command> Create(CommandServices services) =>
    [
        List(services), Status(services), Watch(services),
        Steer(services, "pause", "Hands out no more work of a sweep until it is resumed; parts that are out are finished.", (
            g, _) => g.PauseAsync()),
        Steer(services, "resume", "Hands out work of a paused sweep again.", (g, _) => g.ResumeAsync()),
        Steer(services, "cancel", "Ends a sweep. What was published stays; submitting it again goes on from there.", (
            g, _) => g.CancelAsync()),
        Steer(services, "retry", "Tries failed samples again, of a sweep that lives, ended, stopped or was cancelled.", (
            g, _) => g.RetryAsync()),
    ];

    static Command List(CommandServices services)
    {
        var flags = new ClusterFlags();
        var command = flags.AddTo(new Command("list", "Sweeps of a cluster: those that live, and those that ended last."));
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var all = await sweeps.AllAsync(interrupted);
            if (!flags.Json(parsed))
                SweepTables.WriteList(services.Terminal.Output, all);
            foreach (var s in flags.Json(parsed) ? all : [])
            {
                services.Terminal.Output.WriteLine(JsonSerializer.Serialize(new
                {
                    id = s.SweepId, name = s.Name, state = SweepText.Word(
                        s), priority = s.Priority, submitted_at = s.SubmittedAt, ended_at = s.EndedAt,
                }));
            }
            return ExitStatus.Done;
        });
        return command.WithExamples("taba list", "taba list --cluster lab --json");
    }

    static Command Status(CommandServices services)
    {
        var flags = new ClusterFlags();
        var id = new Argument<string?>("ID")
        {
            Description = "A sweep's id, the beginning of one, or its name. Left out: the silos.",
            Arity = ArgumentArity.ZeroOrOne
        };
        var command = flags.AddTo(
            new Command("status", "Where a sweep stands, stage by stage; without a sweep, which silos there are.") { id });
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var output = services.Terminal.Output;
            if (parsed.GetValue(id) is not { } wanted)
            {
                var silos = await sweeps.SilosAsync(interrupted);
                if (!flags.Json(parsed))
                    SweepTables.WriteSilos(output, silos);
                foreach (var s in flags.Json(parsed) ? silos : [])
                {
                    output.WriteLine(JsonSerializer.Serialize(new
                    {
                        silo = s.Name, role = s.Role.ToString().ToLowerInvariant(), device = s.DeviceKind, device_memory =
                            s.DeviceMemory, batch_size = s.BatchSize, worker = s.Worker, build = s.Version?.Build,
                        numerics = s.Version?.Numerics,
                    }));
                }
                return ExitStatus.Done;
            }
            var sweep = await sweeps.FindAsync(wanted, interrupted);
            var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
            var plan = await sweeps.PlanAsync(sweep, interrupted);
            var status = await sweeps.AskAsync(async () => await grain.GetStatusAsync(), interrupted);
            if (flags.Json(parsed))
                output.WriteLine(JsonSerializer.Serialize(AsJson(status)));
            else
                SweepTables.WriteStatus(output, status, StageNames.Of(plan));
            return ExitStatus.Done;
        });
        return command.WithExamples("taba status", "taba status 3f9a --cluster lab", "taba status forward-replacement --json");
    }

    static Command Watch(CommandServices services)
    {
        var flags = new ClusterFlags();
        var id = new Argument<string>("ID") { Description = "A sweep's id, the beginning of one, or its name." };
        var command = flags.AddTo(
            new Command("watch", "Follows a sweep until it ends. The command that submitted it, given again, writes its results.") { id });
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var sweep = await sweeps.FindAsync(parsed.GetValue(id)!, interrupted);
            var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
            var plan = await sweeps.PlanAsync(sweep, interrupted);
            var status = await sweeps.AskAsync(async () => await grain.GetStatusAsync(), interrupted);
            await using (var view = ProgressViews.For(services.Terminal, plan, flags.Json(parsed)))
            {
                view.Show(status);
                var patience = new ClusterPatience(sweeps.Options.Name, services.Terminal);
                if (status.State.IsLive())
                {
                    await foreach (var next in patience.WatchAsync(grain, status.Version, interrupted))
                    {
                        status = next;
                        view.Show(status);
                    }
                }
            }
            interrupted.ThrowIfCancellationRequested();
            if (flags.Json(parsed))
                services.Terminal.Output.WriteLine(JsonSerializer.Serialize(AsJson(status)));
            else
                SweepTables.WriteStatus(services.Terminal.Output, status, StageNames.Of(plan));
            return status.State switch
            {
                SweepState.Completed => ExitStatus.Done,
                SweepState.CompletedWithFailures or SweepState.Stopped => ExitStatus.SamplesFailed,
                _ => ExitStatus.Failed,
            };
        });
        return command.WithExamples("taba watch 3f9a", "taba watch forward-replacement --cluster lab --json");
    }

    static Command Steer(CommandServices services, string name, string description, Func<ISweepGrain, CancellationToken, Task> steer)
    {
        var flags = new ClusterFlags();
        var id = new Argument<string>("ID") { Description = "A sweep's id, the beginning of one, or its name." };
        var command = flags.AddTo(new Command(name, description) { id });
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var sweep = await sweeps.FindAsync(parsed.GetValue(id)!, interrupted);
            var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
            var status = await sweeps.AskAsync(
                async () =>
                {
                    await steer(grain, interrupted);
                    return await grain.GetStatusAsync();
                },
                interrupted);
            services.Terminal.Output.WriteLine(flags.Json(parsed) ? JsonSerializer.Serialize(
                AsJson(status)) : $"{sweep.SweepId} ({sweep.Name}): {SweepText.Word(status.State)}");
            return ExitStatus.Done;
        });
        return command.WithExamples($"taba {name} 3f9a", $"taba {name} forward-replacement --cluster lab");
    }

    static object AsJson(SweepStatus status) => new
    {
        id = status.SweepId,
        state = SweepText.Word(status.State),
        evaluations_done = status.EvaluationsDone,
        evaluations_planned = status.EvaluationsPlanned,
        fault = status.Fault,
        refusals = status.Refusals.Select(r => new { silo = r.Silo, reason = r.Reason }),
        stages = status.Stages.Select(s => new
        {
            key = s.Key, stage = StageNames.Of(
            s.Kind), rows = s.RowsWanted, done = s.RowsDone, failed = s.RowsFailed, parts_out = s.PartsLeased, silent = s.Silence
        }),
        failures = status.Failures.Select(
            f => new { stage = f.StageKey, sample = f.Sample, step = f.Step, kind = f.Kind.ToString(), reason = f.Reason }),
        failed = FailureJson.Of(status, key => key),
        pauses = status.Pauses.Select(p => new
        {
            host = p.Host,
            reason = p.Reason,
            failures = p.Failures,
            seconds_left = p.Remaining == TimeSpan.MaxValue ? (double?)null : Math.Ceiling(p.Remaining.TotalSeconds),
        }),
    };
}
