using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

[Collection(SiloCollection.Name)]
public sealed class WatchTests(TestSilo silo)
{
    [Fact]
    public async Task Watch_UntilTheSweepCompletes_YieldsItsEndLast()
    {
        var plan = TestStages.Chain("watched", 64, TestSilo.NewStage());
        await silo.Sweep("watched").SubmitAsync(plan);
        var watch = CollectAsync("watched");
        await new TestWorker(silo).RunAsync("watched");
        var seen = await UntilAsync(watch);
        Assert.Equal(SweepState.Completed, seen[^1].State);
        Assert.Equal(64, seen[^1].Stages[2].RowsDone);
        Assert.Equal(seen.Select(s => s.Version).Distinct().Order(), seen.Select(s => s.Version).Distinct());
    }

    [Fact]
    public async Task Watch_ACancelledSweep_Ends()
    {
        await silo.Sweep("watched-cancel").SubmitAsync(TestStages.Chain("watched-cancel", 64, TestSilo.NewStage()));
        var watch = CollectAsync("watched-cancel");
        await silo.Sweep("watched-cancel").CancelAsync();
        Assert.Equal(SweepState.Cancelled, (await UntilAsync(watch))[^1].State);
    }

    [Fact]
    public async Task Watch_AFaultedSweep_Ends()
    {
        var plan = TestStages.Chain("watched-fault", 32, TestSilo.NewStage());
        await silo.Sweep("watched-fault").SubmitAsync(plan);
        var watch = CollectAsync("watched-fault");
        var lease = await silo.Stage(plan.Stages[0].Key).LeaseAsync("a", null);
        await silo.Stage(plan.Stages[0].Key).GiveBackAsync(lease!.Attempt, new(FaultOwner.Host, "the disk is full"));
        Assert.Equal("the disk is full", (await UntilAsync(watch))[^1].Fault);
    }

    [Fact]
    public async Task Watch_NothingChanges_AnswersAllTheSame()
    {
        await silo.Sweep("quiet").SubmitAsync(TestStages.Chain("quiet", 32, TestSilo.NewStage()));
        var version = (await silo.Sweep("quiet").GetStatusAsync()).Version;
        var first = FirstAsync("quiet", version);
        var status = await UntilAsync(first);
        Assert.Equal((version, SweepState.Running), (status.Version, status.State));
        await silo.Sweep("quiet").CancelAsync();
    }

    async Task<List<SweepStatus>> CollectAsync(string id)
    {
        var seen = new List<SweepStatus>();
        await foreach (var status in silo.Sweep(id).WatchAsync(0, TestContext.Current.CancellationToken))
            seen.Add(status);
        return seen;
    }

    async Task<SweepStatus> FirstAsync(string id, long since)
    {
        await foreach (var status in silo.Sweep(id).WatchAsync(since, TestContext.Current.CancellationToken))
            return status;
        throw new InvalidOperationException("the watch ended without a word");
    }

    /// <summary>Lets time pass, in steps of a watcher's pause, until a task ends.</summary>
    async Task<T> UntilAsync<T>(Task<T> task)
    {
        var patience = Task.Delay(TestSilo.Patience, TestContext.Current.CancellationToken);
        while (!task.IsCompleted && !patience.IsCompleted)
        {
            silo.Time.Advance(TimeSpan.FromMilliseconds(200));
            await Task.WhenAny(task, silo.Sweep("quiet").WakeAsync());
        }
        Assert.True(task.IsCompleted, "the watch did not end");
        return await task;
    }
}
