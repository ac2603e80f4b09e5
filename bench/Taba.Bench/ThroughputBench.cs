using Taba.Storage.RunFolders;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Hosting;
using Taba.Silo.Inputs;
using Taba.Silo.Models;
using Taba.Silo.Outputs;

namespace Taba.Bench;

/// <summary>
/// Interleaves rounds of a bare loop and of a whole sweep (leases, checkpoints, publication, run folder, metrics) over the same
/// network and batch, and prints medians, spread and their ratio.
/// </summary>
sealed class ThroughputBench(BenchModel model, int batch, int rounds, double seconds, int steps, bool withInternal)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
        try
        {
            var clock = Stopwatch.StartNew();
            await using var silo = await EmbeddedSilo.StartAsync(
                new EmbeddedSiloOptions
                {
                    StoreRoot = Path.Combine(folder, ".taba"), Devices = model.Devices, BatchSize = batch,
                    Command = "bench"
                },
                cancellationToken);
            var started = clock.Elapsed.TotalSeconds;
            await SweepAsync(silo, folder, batch, seed: 0, cancellationToken);
            var loaded = clock.Elapsed.TotalSeconds - started;

            using var network = model.Build();
            using var bare = new BareLoop(network, model.Definition.CreateSchedule(steps), batch);
            var pilot = bare.Run(Math.Min(seconds, 10));
            // As many samples as fill a round, in whole batches.
            var samples = (int)Math.Max(1, Math.Ceiling(pilot * seconds / steps / batch)) * batch;

            var bareRates = new List<double>();
            var sweepRates = new List<double>();
            var internalRates = new List<double>();
            var before = silo.EngineStatistics[0];
            for (var round = 0; round < rounds; round++)
            {
                bareRates.Add(bare.Run(seconds));
                sweepRates.Add(await RateAsync(InternalSelection.None, round));
                if (withInternal)
                    internalRates.Add(await RateAsync(InternalSelection.All, rounds + round));
                Console.Error.WriteLine(
                    $"round {round + 1}: bare {bareRates[^1]:F2}, sweep {sweepRates[^1]:F2} evaluations/s"
                    + (withInternal ? $", with every step kept {internalRates[^1]:F2}" : ""));
            }
            var after = silo.EngineStatistics[0];
            Print(
                samples, started, loaded, bareRates, sweepRates, internalRates,
                (after.OverheadTime - before.OverheadTime) / (after.NetworkTime - before.NetworkTime));
            return 0;

            async Task<double> RateAsync(InternalSelection kept, int number)
            {
                clock.Restart();
                var evaluations = await SweepAsync(silo, folder, samples, seed: number + 1, cancellationToken, kept);
                var rate = evaluations / clock.Elapsed.TotalSeconds;
                Directory.Delete(Path.Combine(folder, $"bench-{number + 1}"), recursive: true);
                return rate;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    async Task<long> SweepAsync(EmbeddedSilo silo, string folder, int samples, long seed, CancellationToken cancellationToken,
        InternalSelection? kept = null)
    {
        var spec = new SweepSpec
        {
            Name = $"bench-{seed}",
            Models = [model.Selection],
            Samples = samples,
            Seeds = [seed],
            NumInferenceSteps = [steps],
            BatchSize = batch,
            Internal = kept ?? InternalSelection.None,
        };
        var plan = new SweepPlanner(
            new ModelCatalogue(model.Devices[0], Path.Combine(folder, "digests.json")), new TensorInputFiles(), model.Devices.Kind)
            .Plan(spec);
        var sweep = silo.Grains.GetGrain<ISweepGrain>(plan.SweepId);
        var status = await silo.SubmitAsync(plan);
        await foreach (var next in sweep.WatchAsync(status.Version, cancellationToken))
            status = next;
        if (status.State != SweepState.Completed)
            throw new InvalidOperationException($"The sweep ended {status.State}: {status.Fault}");
        using var folders = new RunFolderWriter(silo.Store, new RunFolderOptions(), TimeProvider.System);
        foreach (var run in plan.Runs)
            await folders.WriteAsync(plan, run, OutputFolder.At(Path.Combine(folder, plan.Name, run.Slug)), status, cancellationToken);
        return plan.Evaluations;
    }

    void Print(
        int samples, double started, double loaded, List<double> bare, List<double> sweep, List<double> internals, double overhead)
    {
        Console.WriteLine(
            $"model {model.Definition.Name}, {model.Devices.Kind}, {RuntimeInformation.ProcessArchitecture}, "
            + $"{Environment.ProcessorCount} cores, batch {batch}, T {steps}, {samples} samples a round");
        Console.WriteLine($"start-up (not in the rates): silo {started:F2} s; first batch with model load {loaded:F2} s");
        Console.WriteLine();
        Console.WriteLine("| | median evaluations/s | least | most |");
        Console.WriteLine("|---|---|---|---|");
        Row("bare loop", bare);
        Row("whole sweep", sweep);
        if (internals.Count > 0)
            Row("whole sweep, every step kept", internals);
        Console.WriteLine();
        Console.WriteLine(
            $"ratio of medians {Spread.Of(sweep).Median / Spread.Of(bare).Median:F4}; ratios by round "
            + $"{string.Join(", ", sweep.Zip(bare, (s, b) => $"{s / b:F3}"))}");
        if (internals.Count > 0)
            Console.WriteLine(
                $"every step kept, over the whole sweep: {Spread.Of(internals).Median / Spread.Of(sweep).Median:F4}; by round "
                + $"{string.Join(", ", internals.Zip(sweep, (i, s) => $"{i / s:F3}"))}");
        Console.WriteLine($"engine time outside the network {overhead:P2} of network time");
    }

    static void Row(string name, List<double> rates)
    {
        var spread = Spread.Of(rates);
        Console.WriteLine($"| {name} | {spread.Median:F2} | {spread.Least:F2} | {spread.Most:F2} |");
    }
}
