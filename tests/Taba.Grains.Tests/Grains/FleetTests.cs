using System.Diagnostics;
using Taba.Grains.Dispatch;
using Taba.Grains.Faults;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>What a silo says, and what the dispatcher knows, put together. Sweeps of other tests would be work too.</summary>
public sealed class FleetTests : IAsyncLifetime
{
    readonly TestSilo _silo = new() { LongestPause = TimeSpan.FromMinutes(5) };

    IFleetGrain Fleet => _silo.Grains.GetGrain<IFleetGrain>(0);

    IDispatcherGrain Dispatcher => _silo.Grains.GetGrain<IDispatcherGrain>(0);

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Get_HostThatFailedAtAStage_SaysWhyItsDeviceIdles()
    {
        var plan = TestStages.Plan("full", TestStages.Planned(TestSilo.NewStage(), new(0, 64)));
        await _silo.Sweep("full").SubmitAsync(plan);
        var lease = await PullAsync("worker", 1);
        await _silo.Stage(plan.Stages[0].Key).GiveBackAsync(lease.Attempt, new(FaultOwner.Host, "no space left on device"));
        await Fleet.ReportAsync(Fare("full-disk", "worker", 5));
        await Fleet.ReportAsync(Fare("other", "another", 5));

        // The stage tells the dispatcher in its own time.
        var clock = Stopwatch.StartNew();
        FleetView view;
        do
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            view = await Fleet.GetAsync(new(0, 10));
        }
        while (view.Silos[0].Devices[0].Idle != IdleKind.Paused && clock.Elapsed < TestSilo.Patience);

        Assert.Equal(
            "Its host failed at sample T=10 and is asked again in 1 s: no space left on device.", view.Silos[0].Devices[0].IdleReason);
        Assert.Equal(IdleKind.HandedOut, view.Silos[1].Devices[0].Idle);
    }

    [Fact]
    public async Task GetStanding_WorkerThatFindsNothing_WaitsUntilItGetsSomething()
    {
        var asking = Dispatcher.AskAsync(new("idler", 1, 64, 0) { Patience = TimeSpan.FromSeconds(8) });
        _silo.Time.Advance(TimeSpan.FromMilliseconds(1));
        TimeSpan? waits = null;
        for (var i = 0; i < 100 && waits is null; i++)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
            waits = (await Dispatcher.GetStandingAsync(new([], ["idler"]))).Workers.SingleOrDefault()?.Waits;
        }
        Assert.NotNull(waits);
        _silo.Time.Advance(TimeSpan.FromSeconds(5));
        var standing = await Dispatcher.GetStandingAsync(new([], ["idler"]));
        Assert.InRange(standing.Workers.Single().Waits!.Value, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6));
        Assert.InRange(standing.WorkersWaiting, 1, 100);

        var plan = TestStages.Plan("for-idler", TestStages.Planned(TestSilo.NewStage(), new(0, 32)));
        await _silo.Sweep("for-idler").SubmitAsync(plan);
        Assert.Single(await asking.WaitAsync(TestSilo.Patience, TestContext.Current.CancellationToken));

        Assert.Null((await Dispatcher.GetStandingAsync(new([], ["idler"]))).Workers.Single().Waits);
        await _silo.Sweep("for-idler").CancelAsync();
    }

    async Task<PartLease> PullAsync(string worker, long number)
    {
        for (var i = 0; i < 100; i++)
        {
            if (await Dispatcher.AskAsync(new(worker, number + i, 32, 0)) is [var lease, ..])
                return lease;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException("The dispatcher gave nothing.");
    }

    internal static SiloFare Fare(string name, string worker, double uptime) => new(
        new(name, worker, SiloRole.Worker, "cpu", 0, 16), "host", TimeSpan.FromSeconds(uptime), [new("cpu", Works: true, default)]);
}
