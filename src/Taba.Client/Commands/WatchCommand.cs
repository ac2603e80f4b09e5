using System.CommandLine;
using System.Text.Json;
using Taba.Client.Clusters;
using Taba.Client.Hosts;
using Taba.Client.Progress;
using Taba.Client.Running;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Commands;

/// <summary><c>taba watch</c></summary>
static class WatchCommand
{
    /// <summary>What is not the sweep's own is asked for no more often.</summary>
    static readonly TimeSpan s_waitsEvery = TimeSpan.FromSeconds(5);

    public static Command Create(CommandServices services)
    {
        var flags = new ClusterFlags();
        var id = new Argument<string>("ID") { Description = SweepCommands.IdDescription };
        var folder = Flags.Of<string?>(
            "out", "When it has ended, write its run folders and report below this folder, as taba run does; also blob:PREFIX.", "-o");
        var command = flags.AddTo(new Command("watch", "Follows a sweep until it ends. With --out it writes its results then.")
        {
            id, folder,
        });
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var sweep = await sweeps.FindAsync(parsed.GetValue(id)!, interrupted);
            var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
            var plan = await sweeps.PlanAsync(sweep, interrupted);
            SweepStatus status;
            try
            {
                status = await FollowAsync(services.Terminal, sweeps, grain, plan, flags.Json(parsed), interrupted);
                interrupted.ThrowIfCancellationRequested();
            }
            catch (OperationCanceledException ended) when (interrupted.IsCancellationRequested)
            {
                throw new InterruptedException(
                    $"Interrupted: the sweep goes on in cluster {sweeps.Options.Name}. To see it again: {services.CommandLine}", ended);
            }
            if (parsed.GetValue(folder) is { } root && status.State is SweepState.Completed or SweepState.CompletedWithFailures)
            {
                var job = Job(services, sweeps.Options.Name, plan, root, flags.Json(parsed));
                return await CollectAsync(services, job, plan, status, interrupted);
            }
            if (flags.Json(parsed))
                services.Terminal.Output.WriteLine(JsonSerializer.Serialize(
                    SweepJson.Of(plan, status, WaitLines.ByStage(plan, status, StageNames.Of(plan), WaitKnowledge.None))));
            else
                SweepTables.WriteStatus(services.Terminal.Output, plan, status, StageNames.Of(plan), WaitKnowledge.None, all: false);
            return status.State switch
            {
                SweepState.Completed => ExitStatus.Done,
                SweepState.CompletedWithFailures or SweepState.Stopped => ExitStatus.SamplesFailed,
                _ => ExitStatus.Failed,
            };
        });
        return command.WithExamples(
            "taba watch 3f9a", "taba watch forward-replacement --cluster lab --json", "taba watch 3f9a --out results");
    }

    static RunJob Job(CommandServices services, string cluster, SweepPlan plan, string root, bool json)
    {
        var files = plan.Files ?? throw new BadInputException(
            $"Sweep {plan.SweepId} was submitted by a version of taba that does not say how its folders are written: give the command "
            + "that submitted it again.");
        PlanCheck.RequireName(plan);
        return new()
        {
            Spec = files.In(new SweepSpec { Name = plan.Name, Models = [] }),
            StoreRoot = root,
            Folder = files.Flat ? root : Path.Combine(root, plan.Name),
            CommandLine = services.CommandLine,
            Cluster = cluster,
            Json = json,
        };
    }

    static async Task<int> CollectAsync(
        CommandServices services, RunJob job, SweepPlan plan, SweepStatus status, CancellationToken interrupted)
    {
        CommandServices.RequireBlobs(job);
        await using var cluster = await ClusterHost.OpenAsync(job, services.Terminal, interrupted, plan.Files!.DeviceKind);
        return await new SweepRunner(cluster, services.Terminal).CollectAsync(job, plan, status, interrupted);
    }

    static async Task<SweepStatus> FollowAsync(
        Terminal terminal, ClusterSweeps sweeps, ISweepGrain grain, SweepPlan plan, bool json, CancellationToken interrupted)
    {
        var status = await sweeps.AskAsync(async () => await grain.GetStatusAsync(), interrupted);
        await using var view = ProgressViews.For(terminal, plan, json);
        view.Show(status);
        if (!status.State.IsLive())
            return status;
        var asking = Task.FromResult(WaitKnowledge.None);
        var askedAt = (long?)null;
        var patience = new ClusterPatience(sweeps.Options.Name, terminal);
        await foreach (var next in patience.WatchAsync(grain, status.Version, interrupted))
        {
            status = next;
            // An answer that is on its way holds nothing up: the one before is shown.
            view.Show(status, asking.IsCompletedSuccessfully ? await asking : null);
            if (asking.IsCompleted && (askedAt is not { } at || terminal.Time.GetElapsedTime(at) >= s_waitsEvery))
                (asking, askedAt) = (sweeps.WaitsAsync(plan.SweepId, interrupted), terminal.Time.GetTimestamp());
        }
        return status;
    }
}
