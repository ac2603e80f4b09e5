using System.Diagnostics;
using System.Globalization;
using Taba.Grains.Sweeps;
using Taba.Silo.Clusters;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Scale;

/// <summary>Runs a sweep on a simulated cluster and measures what it took.</summary>
static class ScaleRun
{
    /// <summary>Of what a worker said; the coordinator's words are shown whole.</summary>
    const int MostSaid = 2000;

    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(2);
    static readonly TimeSpan s_reportsSettle = TimeSpan.FromSeconds(3);

    /// <exception cref="InvalidOperationException">
    /// The sweep did not end as it should, or the store does not hold every row exactly once.
    /// </exception>
    public static async Task<ScaleResult> RunAsync(ScaleOptions options, TimeSpan atMost)
    {
        await using var cluster = await ScaleCluster.StartAsync(options);
        await using var client = await ClusterConnection.OpenAsync(cluster.ClientOptions, CancellationToken.None);
        if (options.WarmUp > 0)
        {
            await SweepsAsync(cluster, client, ScaleSweep.All(options, options.WarmUp, seed: 0), atMost, _ => Task.CompletedTask);
            await Task.Delay(s_reportsSettle);
        }
        var reportsBefore = cluster.ReadReports();
        var plans = ScaleSweep.All(options, options.Samples, seed: 1);
        var stages = plans.SelectMany(p => p.Stages).DistinctBy(s => s.Key).ToList();
        var database = cluster.Database;
        var before = Use(cluster);
        var databaseBefore = DatabaseCpu(database);
        var stateBefore = await cluster.GrainStateAsync();
        var idleBefore = ProcessUse.MachineIdle();
        IReadOnlyList<ProcessUse>? halfway = null;
        var (stateBytes, restart) = (0L, TimeSpan.Zero);
        var clock = Stopwatch.StartNew();
        await SweepsAsync(cluster, client, plans, atMost, async share =>
        {
            if (halfway is not null || share < 0.5)
                return;
            halfway = Use(cluster);
            stateBytes = (await cluster.GrainStateAsync()).Bytes;
            if (options.RestartCoordinator)
                restart = await cluster.RestartCoordinatorAsync(options);
        });
        var elapsed = clock.Elapsed;
        var idle = ProcessUse.MachineIdle() - idleBefore;
        var after = Use(cluster);
        var databaseAfter = DatabaseCpu(database);
        var state = await cluster.GrainStateAsync();
        await Task.Delay(s_reportsSettle);
        var all = cluster.ReadReports().Zip(reportsBefore, (now, earlier) => now.Since(earlier)).ToList();
        var reports = all.Where(r => r.Parts > 0).ToList();
        foreach (var silo in cluster.Silos.Where(s => s.Errors.Length > 0))
        {
            var most = silo == cluster.Coordinator ? int.MaxValue : MostSaid;
            await Console.Error.WriteLineAsync($"{silo.Name}: {silo.Errors[..Math.Min(silo.Errors.Length, most)]}");
        }
        return new()
        {
            Options = options,
            Stages = stages.Count,
            Evaluations = stages.Sum(s => (long)s.Rows.Count * s.Spec.EvaluationsPerRow),
            Wall = reports.Max(r => r.LastPublication)!.Value
                - reports.SelectMany(r => r.FirstLeases.Where(f => stages.Any(s => s.Key == f.Key))).Min(f => f.Value),
            Parts = await CheckStoreAsync(cluster.Store, stages),
            PartsTooLate = reports.Sum(r => r.PartsTooLate),
            PartsFailed = all.Sum(r => r.PartsFailed),
            RowsRead = all.Sum(r => r.RowsRead),
            RowsAtHand = all.Sum(r => r.RowsAtHand),
            CoordinatorCalls = all[0].Calls + cluster.KilledCalls,
            StateWrites = state.Writes - stateBefore.Writes,
            StateBytes = Math.Max(stateBytes, state.Bytes),
            Restart = restart,
            Passes = reports.Sum(r => r.Passes),
            RowSteps = reports.Sum(r => r.RowSteps),
            ReportsFailed = reports.Sum(r => r.ReportsFailed),
            PublishSeconds = reports.Sum(r => r.PublishSeconds) / Math.Max(1, reports.Sum(r => r.Parts)),
            DatabaseCpu = databaseAfter - databaseBefore,
            MachineBusy = 1 - idle / (elapsed * Environment.ProcessorCount),
            Elapsed = elapsed,
            Processes =
            [
                .. cluster.Silos.Select((s, i) => new ProcessResult(
                    s.Name, after[i].Cpu - before[i].Cpu + (i == 0 ? cluster.KilledCpu : TimeSpan.Zero), before[i].Resident,
                    (halfway ?? after)[i].Resident, after[i].Resident,
                    Math.Max(after[i].PeakResident, (halfway ?? after)[i].PeakResident))),
            ],
        };
    }

    /// <summary>Runs sweeps to their end, all at a time.</summary>
    /// <param name="onProgress">Told which share of the rows is done.</param>
    static async Task SweepsAsync(
        ScaleCluster cluster, ClusterConnection client, IReadOnlyList<SweepPlan> plans, TimeSpan atMost, Func<double, Task> onProgress)
    {
        var clock = Stopwatch.StartNew();
        var sweeps = plans.Select(p => client.Grains.GetGrain<ISweepGrain>(p.SweepId)).ToList();
        var statuses = await Task.WhenAll(sweeps.Zip(plans, (sweep, plan) => sweep.SubmitAsync(plan)));
        while (statuses.Any(s => s.State == SweepState.Running))
        {
            var stages = statuses.SelectMany(s => s.Stages).DistinctBy(s => s.Key).ToList();
            var (done, wanted) = (stages.Sum(s => (long)s.RowsDone), stages.Sum(s => (long)s.RowsWanted));
            await onProgress((double)done / Math.Max(1, wanted));
            await Console.Error.WriteAsync(string.Create(
                CultureInfo.InvariantCulture, $"\r{clock.Elapsed:hh\\:mm\\:ss} {done:N0} of {wanted:N0}   "));
            if (clock.Elapsed > atMost)
                throw new InvalidOperationException($"{done:N0} of {wanted:N0} rows after {clock.Elapsed}.\n{Said(cluster)}");
            if (cluster.Silos.FirstOrDefault(s => s.HasExited) is { } gone)
                throw new InvalidOperationException($"{gone.Name} ended.\n{gone.Output}\n{gone.Errors}");
            await Task.Delay(s_lookEvery);
            try
            {
                statuses = await Task.WhenAll(sweeps.Select(s => s.GetStatusAsync().AsTask()));
            }
            catch (Exception exception) when (exception is TimeoutException or OrleansException)
            {
                // A busy machine, or a coordinator that was killed: the next look has it.
            }
        }
        await Console.Error.WriteLineAsync();
        if (statuses.FirstOrDefault(s => s.State != SweepState.Completed) is { } other)
            throw new InvalidOperationException($"A sweep ended as {other.State}.\n{Said(cluster)}");
    }

    static List<ProcessUse> Use(ScaleCluster cluster) => [.. cluster.Silos.Select(s => ProcessUse.Of(s.Id))];

    static TimeSpan DatabaseCpu(int? process) => process is { } id ? ProcessUse.CpuOfFamily(id) : TimeSpan.Zero;

    /// <summary>Every row of every stage has one manifest with its result.</summary>
    /// <returns>Parts that were published.</returns>
    static async Task<int> CheckStoreAsync(string store, IEnumerable<PlannedStage> stages)
    {
        var parts = 0;
        foreach (var stage in stages)
        {
            var manifests = await new TensorStore(new FolderObjects(store)).ListAsync(stage.Key, CancellationToken.None);
            var next = 0;
            foreach (var rows in manifests.Where(m => !m.Supplement).Select(m => m.Rows))
            {
                if (rows.Start != next)
                    throw new InvalidOperationException($"Rows {next} to {rows.Start} of {stage.Key} are missing or doubled in the store.");
                next = rows.End;
            }
            if (next != stage.Rows.Count)
                throw new InvalidOperationException($"The store holds {next} of {stage.Rows.Count} rows of {stage.Key}.");
            parts += manifests.Length;
        }
        return parts;
    }

    static string Said(ScaleCluster cluster) => string.Join('\n', cluster.Silos.Select(s => $"{s.Name}: {s.Errors}"));
}
