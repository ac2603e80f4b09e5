using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Taba.Grains.Dispatch;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Scale;

/// <summary>
/// What it costs to give out work, with real grains and no workers but names: a question that finds nothing or a part, a completion, a
/// renewal, and standing still. In one process, so that processor time is that of both ends of a call.
/// </summary>
sealed class DispatchBench(DispatchShape shape, DispatchSilo silo)
{
    const int HeldParts = 6;
    const int Measured = 600;
    const int AtOnce = 4;

    static readonly TimeSpan s_settle = TimeSpan.FromSeconds(0.5);
    static readonly TimeSpan s_still = TimeSpan.FromSeconds(5);
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public const string Heading =
        "| stages | silos | rows published (gaps) | submission, ms a stage | ask, nothing there, µs (calls) | ask, a part, µs (calls) "
        + "| completion, µs (calls) | renewal of 6, µs (calls) | stands still: ms a second | all silos wait: ms a second "
        + "| state, KiB (writes a second) |\n|---|---|---|---|---|---|---|---|---|---|---|";

    readonly Queue<PartLease> _held = new();
    StageSpec _spec = null!;
    string _key = "";
    long _number;

    /// <summary>A row for each shape, as they come.</summary>
    public static async IAsyncEnumerable<string> RowsAsync(IEnumerable<DispatchShape> shapes)
    {
        // Code is compiled.
        await RunAsync(DispatchShape.All[1]);
        foreach (var shape in shapes)
            yield return await RunAsync(shape);
    }

    static async Task<string> RunAsync(DispatchShape shape)
    {
        await using var silo = await DispatchSilo.StartAsync();
        return await new DispatchBench(shape, silo).RunAsync();
    }

    int Gaps => shape.Published / PartGrid.MaxRows / 4;

    async Task<string> RunAsync()
    {
        // All parts that are published, that workers hold, and that are asked for, and a few more.
        var rows = (shape.Published / PartGrid.MaxRows + shape.Silos * HeldParts + 3 * Measured) * PartGrid.MaxRows;
        var plan = Plan(rows);
        (_key, _spec) = (plan.Stages[0].Key, plan.Stages[0].Spec);
        var stage = Stage(_key);
        var submission = await SubmitAsync(plan);
        await AskAsync(Ask("hog", PartGrid.MaxRows));
        if (shape.Published > 0)
            await stage.CompleteAsync(
                new(_key, 0, 0, Guid.NewGuid()),
                RowSet.Of(
                    [
                        .. Enumerable.Range(0, shape.Published / PartGrid.MaxRows).Where(p => p % 4 != 1)
                            .Select(p => new RowRange(p * PartGrid.MaxRows, (p + 1) * PartGrid.MaxRows)),
                    ]),
                CaptureSelection.None, []);

        for (var i = 0; i < shape.Silos; i++)
            Keep(await AskAsync(Ask(Worker(i), HeldParts * PartGrid.MaxRows)));
        // Code is compiled, and everybody heard everything.
        await CycleAsync(Measured / 2);
        await Task.Delay(s_settle);
        var still = await StillAsync();

        var written = silo.State.Written;
        var clock = Stopwatch.StartNew();
        var (completion, part, renewal) = (default(DispatchCost), default(DispatchCost), default(DispatchCost));
        // As many at once as leaves each silo half of what it holds.
        var round = Math.Min(Measured, shape.Silos * HeldParts / 2);
        for (var done = 0; done < Measured; done += round)
        {
            completion += await CostAsync(round, _ => CompleteAsync());
            part += await CostAsync(round, async i =>
            {
                // Where others read this stage they have rows now, and come first.
                if (!shape.Readers)
                    Keep(await PartsAsync(i));
                else
                    Keep(await stage.LeaseAsync(Worker(i), new(PartGrid.MaxRows, null)));
            });
        }
        var writes = (silo.State.Written.Writes - written.Writes) / clock.Elapsed.TotalSeconds;
        still = Math.Min(still, await StillAsync());
        var byWorker = _held.Where(l => l.Attempt.StageKey == _key).GroupBy(l => l.Worker!).ToList();
        renewal = await CostAsync(Measured, i =>
        {
            var leases = byWorker[i % byWorker.Count];
            return stage.RenewAsync(leases.Key, [.. leases.Take(HeldParts).Select(l => new PartProgress(l.Attempt, i) { Rows = l.Rows })]);
        });
        var state = silo.State.BytesOf(_key);

        // One takes all that there is.
        foreach (var any in shape.Readers ? plan.Stages : plan.Stages[..1])
        {
            while (!(await Stage(any.Key).LeaseAsync("hog", new(rows, null))).IsEmpty)
            {
            }
        }
        await Task.Delay(s_settle);
        var nothing = await CostAsync(Measured, async i => Require((await AskAsync(Ask(Worker(i), 32))).IsEmpty, "nothing is left"));

        var waiting = Enumerable.Range(0, shape.Silos).Select(i => AskAsync(Ask(Worker(i), 32) with { Patience = s_patience })).ToList();
        await Task.Delay(s_settle);
        var wait = await StillAsync();
        Require(waiting.All(w => !w.IsCompleted), "all wait");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {shape.Stages:N0}{(shape.Readers ? ", which read it" : "")} | {shape.Silos:N0} | {shape.Published:N0} ({Gaps:N0}) "
            + $"| {submission:0.0} | {nothing.Text(still)} | {part.Text(still)} | {completion.Text(still)} | {renewal.Text(still)} "
            + $"| {still:0.0} | {wait:0.0} "
            + $"| {state / 1024.0:0} ({writes:0.0}) |");
    }

    async Task<double> SubmitAsync(SweepPlan plan)
    {
        var sweep = silo.Grains.GetGrain<ISweepGrain>(plan.SweepId);
        var before = Environment.CpuUsage.TotalTime;
        await sweep.SubmitAsync(plan);
        // A call answers after a while, and goes on.
        while (silo.State.Written.Writes < plan.Stages.Length)
            await Task.Delay(10);
        await Task.Delay(s_settle);
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds / plan.Stages.Length;
    }

    /// <summary>Milliseconds of processor a second, while nobody calls.</summary>
    static async Task<double> StillAsync()
    {
        var (before, began) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        await Task.Delay(s_still);
        return (Environment.CpuUsage.TotalTime - before) / Stopwatch.GetElapsedTime(began) * 1000;
    }

    async Task<DispatchCost> CostAsync(int times, Func<int, Task> call)
    {
        var (before, calls, began) = (Environment.CpuUsage.TotalTime, silo.Calls.Now, Stopwatch.GetTimestamp());
        await Parallel.ForAsync(0, times, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) => await call(i));
        // What follows from it is part of it.
        await Task.Delay(s_settle);
        return new(times, Environment.CpuUsage.TotalTime - before, Stopwatch.GetElapsedTime(began), silo.Calls.Now - calls);
    }

    async Task CycleAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            await CompleteAsync();
            Keep(await Stage(_key).LeaseAsync(Worker(i), new(PartGrid.MaxRows, null)));
        }
    }

    Task CompleteAsync()
    {
        PartLease lease;
        lock (_held)
            lease = _held.Dequeue();
        return Stage(lease.Attempt.StageKey).CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
    }

    void Keep(ImmutableArray<PartLease> leases)
    {
        Require(!leases.IsEmpty, "there are parts");
        Require(leases.All(l => l.Attempt.StageKey == _key), "they are of this stage");
        lock (_held)
        {
            foreach (var lease in leases)
                _held.Enqueue(lease);
        }
    }

    /// <summary>A question that a newer one of the same worker overtook has no answer, and is asked again.</summary>
    async Task<ImmutableArray<PartLease>> PartsAsync(int i)
    {
        var leases = await AskAsync(Ask(Worker(i), PartGrid.MaxRows) with { Patience = s_settle });
        return leases.IsEmpty ? await AskAsync(Ask(Worker(i), PartGrid.MaxRows) with { Patience = s_settle }) : leases;
    }

    Task<ImmutableArray<PartLease>> AskAsync(WorkAsk ask) => silo.Grains.GetGrain<IDispatcherGrain>(0).AskAsync(ask);

    WorkAsk Ask(string worker, int rows) => new(worker, Interlocked.Increment(ref _number), rows, 0);

    string Worker(int i) => $"127.0.0.1:{10_000 + i % shape.Silos}@1";

    IStageGrain Stage(string key) => silo.Grains.GetGrain<IStageGrain>(StageAddress.GrainKey(key));

    /// <summary>
    /// The stage that is worked on; one whose only part a worker holds for ever; and those that read the one or the other.
    /// </summary>
    SweepPlan Plan(int rows)
    {
        var source = ScaleSweep.Plan(new(), rows, seed: 1).Stages[0];
        var still = ScaleSweep.Plan(new(), PartGrid.MaxRows, seed: 2).Stages[0];
        var read = shape.Readers ? source : still;
        var others = Enumerable.Range(0, shape.Stages - 2).Select(i =>
        {
            var spec = read.Spec with
            {
                Kind = StageKind.Invert,
                Input = new StageRows(read.Key),
                Forward = new(1, new NoiseRows(NoiseLayout.PerSample, i, Dtype.Float32, rows), false),
            };
            return new PlannedStage(StageKey.Of(spec), spec, read.Rows, CaptureSelection.None);
        });
        return new("dispatch", "dispatch", [source, still, .. others], []);
    }

    static void Require(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"It does not hold that {what}.");
    }
}
