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
            await SweepAsync(cluster, client, ScaleSweep.Plan(options, options.WarmUp, seed: 0), atMost, _ => { });
            await Task.Delay(s_reportsSettle);
        }
        var reportsBefore = cluster.ReadReports();
        var plan = ScaleSweep.Plan(options, options.Samples, seed: 1);
        var database = cluster.Database;
        var before = Use(cluster);
        var databaseBefore = DatabaseCpu(database);
        var idleBefore = ProcessUse.MachineIdle();
        IReadOnlyList<ProcessUse>? halfway = null;
        var clock = Stopwatch.StartNew();
        await SweepAsync(cluster, client, plan, atMost, done => halfway ??= done >= options.Samples / 2 ? Use(cluster) : null);
        var elapsed = clock.Elapsed;
        var idle = ProcessUse.MachineIdle() - idleBefore;
        var after = Use(cluster);
        var databaseAfter = DatabaseCpu(database);
        await Task.Delay(s_reportsSettle);
        var reports = cluster.ReadReports().Zip(reportsBefore, (now, earlier) => now.Since(earlier)).Where(r => r.Parts > 0).ToList();
        foreach (var silo in cluster.Silos.Where(s => s.Errors.Length > 0))
            await Console.Error.WriteLineAsync($"{silo.Name}: {silo.Errors}");
        return new()
        {
            Options = options,
            Wall = reports.Max(r => r.LastPublication)!.Value - reports.Min(r => r.FirstLease)!.Value,
            Parts = await CheckStoreAsync(cluster.Store, plan, options),
            PartsTooLate = reports.Sum(r => r.PartsTooLate),
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
                    s.Name, after[i].Cpu - before[i].Cpu, before[i].Resident, (halfway ?? after)[i].Resident, after[i].Resident,
                    after[i].PeakResident)),
            ],
        };
    }

    /// <summary>Runs a sweep to its end.</summary>
    static async Task SweepAsync(ScaleCluster cluster, ClusterConnection client, SweepPlan plan, TimeSpan atMost, Action<int> onProgress)
    {
        var clock = Stopwatch.StartNew();
        var sweep = client.Grains.GetGrain<ISweepGrain>(plan.SweepId);
        var status = await sweep.SubmitAsync(plan);
        while (status.State == SweepState.Running)
        {
            var done = status.Stages.Sum(s => s.RowsDone);
            onProgress(done);
            await Console.Error.WriteAsync(string.Create(
                CultureInfo.InvariantCulture, $"\r{clock.Elapsed:hh\\:mm\\:ss} {done:N0} of {plan.Stages[0].Rows.Count:N0}   "));
            if (clock.Elapsed > atMost)
                throw new InvalidOperationException(
                    $"{done:N0} of {plan.Stages[0].Rows.Count:N0} samples after {clock.Elapsed}.\n{Said(cluster)}");
            if (cluster.Silos.FirstOrDefault(s => s.HasExited) is { } gone)
                throw new InvalidOperationException($"{gone.Name} ended.\n{gone.Output}\n{gone.Errors}");
            await Task.Delay(s_lookEvery);
            try
            {
                status = await sweep.GetStatusAsync();
            }
            catch (TimeoutException)
            {
                // A busy machine: the next look has it.
            }
        }
        await Console.Error.WriteLineAsync();
        if (status.State != SweepState.Completed)
            throw new InvalidOperationException($"The sweep ended as {status.State}.\n{Said(cluster)}");
    }

    static List<ProcessUse> Use(ScaleCluster cluster) => [.. cluster.Silos.Select(s => ProcessUse.Of(s.Id))];

    static TimeSpan DatabaseCpu(int? process) => process is { } id ? ProcessUse.CpuOfFamily(id) : TimeSpan.Zero;

    /// <summary>Every row has one manifest.</summary>
    static async Task<int> CheckStoreAsync(string store, SweepPlan plan, ScaleOptions options)
    {
        var manifests = await new TensorStore(new FolderObjects(store)).ListAsync(plan.Stages[0].Key, CancellationToken.None);
        var next = 0;
        foreach (var rows in manifests.Select(m => m.Rows))
        {
            if (rows.Start != next)
                throw new InvalidOperationException($"Rows {next} to {rows.Start} are missing or doubled in the store.");
            next = rows.End;
        }
        return next == options.Samples
            ? manifests.Length
            : throw new InvalidOperationException($"The store holds {next} of {options.Samples} rows.");
    }

    static string Said(ScaleCluster cluster) => string.Join('\n', cluster.Silos.Select(s => $"{s.Name}: {s.Errors}"));
}
