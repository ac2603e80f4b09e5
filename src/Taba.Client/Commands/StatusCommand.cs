using System.CommandLine;
using System.Text.Json;
using Taba.Client.Clusters;
using Taba.Client.Progress;
using Taba.Client.Running;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Commands;

/// <summary><c>taba status</c>: a sweep, or the silos.</summary>
static class StatusCommand
{
    /// <summary>The most parts of a stage that are shown.</summary>
    const int MostParts = 50;

    /// <summary>The most numbers of a run that are shown as text.</summary>
    const int MostNumbers = 2;

    public static Command Create(CommandServices services)
    {
        var flags = new ClusterFlags();
        var id = new Argument<string?>("ID")
        {
            Description = $"{SweepCommands.IdDescription} Left out: the silos.",
            Arity = ArgumentArity.ZeroOrOne
        };
        var all = Flags.Switch("all", "A line for each stage, however many there are, and the numbers of its run folders.");
        var parts = Flags.Switch("parts", "The parts that are out: where, since when, how far.");
        var command = flags.AddTo(
            new Command("status", "Where a sweep stands and what its stages wait for; without a sweep, what the silos do.") { id });
        command.Options.Add(all);
        command.Options.Add(parts);
        command.SetAction(async (parsed, interrupted) =>
        {
            await using var sweeps = await ClusterSweeps.OpenAsync(flags.Cluster(parsed), services.Terminal, interrupted);
            var output = services.Terminal.Output;
            if (parsed.GetValue(id) is { } wanted)
                await WriteSweepAsync(
                    output, sweeps, wanted, flags.Json(parsed), parsed.GetValue(all), parsed.GetValue(parts), interrupted);
            else
                await WriteSilosAsync(output, sweeps, flags.Json(parsed), interrupted);
            return ExitStatus.Done;
        });
        return command.WithExamples(
            "taba status", "taba status 3f9a --cluster lab", "taba status forward-replacement --all", "taba status 3f9a --json");
    }

    static async Task WriteSweepAsync(
        TextWriter output, ClusterSweeps sweeps, string wanted, bool json, bool all, bool parts, CancellationToken interrupted)
    {
        var sweep = await sweeps.FindAsync(wanted, interrupted);
        var grain = sweeps.Grains.GetGrain<ISweepGrain>(sweep.SweepId);
        var plan = await sweeps.PlanAsync(sweep, interrupted);
        var status = await sweeps.AskAsync(async () => await grain.GetStatusAsync(), interrupted);
        var names = StageNames.Of(plan);
        var known = status.State.IsLive() ? await sweeps.WaitsAsync(sweep.SweepId, interrupted) : WaitKnowledge.None;
        var runs = json || all ? await sweeps.AskAsync(async () => await grain.GetMetricsAsync(), interrupted) : [];
        if (json)
            output.WriteLine(JsonSerializer.Serialize(SweepJson.Of(plan, status, WaitLines.ByStage(plan, status, names, known), runs)));
        else
            SweepTables.WriteStatus(output, plan, status, names, known, all);
        foreach (var run in json ? [] : runs)
            output.WriteLine($"  run {run.Run}: {Words(run)}");
        foreach (var stage in parts ? status.Stages.Where(s => s.PartsLeased > 0) : [])
        {
            var out_ = await sweeps.AskAsync(
                async () => await sweeps.Grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stage.Key)).GetPartsAsync(
                    new(sweep.SweepId, Bins: 1, From: 0, MostParts)),
                interrupted);
            if (json)
                output.WriteLine(JsonSerializer.Serialize(Parts(stage.Key, out_)));
            else
                SweepTables.WriteParts(output, names.GetValueOrDefault(stage.Key, stage.Key), out_);
        }
    }

    /// <summary>The first numbers of a run; a line has no room for all.</summary>
    static string Words(RunNumbers run)
    {
        var numbers = run.Numbers.Where(n => !ToldMetrics.IsEnd(n.Name)).ToList();
        var words = string.Join(", ", numbers.Take(MostNumbers).Select(n => FormattableString.Invariant($"{n.Name} {n.Value:g4}")));
        return numbers.Count > MostNumbers ? $"{words} and {numbers.Count - MostNumbers} more (--json)" : words;
    }

    static object Parts(string stage, StageParts parts) => new
    {
        @event = "parts",
        stage,
        total = parts.LeasesTotal,
        parts = parts.Leases.Select(l => new
        {
            rows = new[] { l.Rows.Start, l.Rows.End },
            host = l.Host,
            worker = l.Worker,
            seconds_out = l.Age.TotalSeconds,
            seconds_since_progress = l.SinceAdvance.TotalSeconds,
            evaluations_done = l.Evaluations,
            evaluations_planned = l.EvaluationsPlanned,
            alone = l.Alone,
        }),
    };

    static async Task WriteSilosAsync(TextWriter output, ClusterSweeps sweeps, bool json, CancellationToken interrupted)
    {
        var silos = await sweeps.SilosAsync(interrupted);
        var fares = await sweeps.FleetAsync(interrupted);
        if (!json)
            SweepTables.WriteSilos(output, silos, fares);
        foreach (var s in json ? silos : [])
            output.WriteLine(JsonSerializer.Serialize(Silo(s, fares.GetValueOrDefault(s.Worker))));
    }

    static object Silo(SiloInfo s, SiloStanding? fare) => new
    {
        silo = s.Name,
        role = s.Role.ToString().ToLowerInvariant(),
        device = s.DeviceKind,
        device_memory = s.DeviceMemory,
        batch_size = SiloText.Batch(s, fare),
        worker = s.Worker,
        build = s.Version?.Build,
        numerics = s.Version?.Numerics,
        host = fare?.Fare.Host,
        seconds_up = fare?.Fare.Uptime.TotalSeconds,
        report_age = fare?.Age.TotalSeconds,
        draining = fare?.Fare.Draining,
        parts_held = fare?.Fare.PartsHeld,
        store_free = fare?.Fare.StoreFree,
        scratch_free = fare?.Fare.ScratchFree,
        troubles = fare is null ? [] : SiloText.Troubles(fare),
        devices = fare?.Devices.Zip(fare.Fare.Devices).Select(d => new
        {
            name = d.First.Name,
            works = d.Second.Works,
            state = d.First.Last.State,
            evaluations_per_second = d.First.EvaluationsPerSecond,
            fill = d.First.Last.Fill,
            models = d.Second.Models.Select(m => m.Name),
            slots = d.Second.Slots,
            slots_in_use = d.Second.SlotsInUse,
            idle_reason = d.First.IdleReason,
        }),
    };
}
