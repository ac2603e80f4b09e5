using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Faults;

namespace Taba.Silo.Tests.Engines;

public sealed class EngineWatchdogTests
{
    static readonly TimeSpan s_generous = TimeSpan.FromSeconds(60);

    readonly FaultMonitor _faults = new(goesOn: false, NullLogger<FaultMonitor>.Instance);
    readonly EngineTroubles _troubles;

    public EngineWatchdogTests() => _troubles = new(
        SiloDevices.Resolve("cpu"), _faults, TimeProvider.System, NullLogger<EngineTroubles>.Instance);

    EngineWatchdog Watch(TimeSpan? stuckAfter, Func<EngineHeartbeat> heartbeat) => new(
        () => [heartbeat()], _troubles, SiloDevices.Resolve("cpu"), Options.Create(new EngineSettings { StuckAfter = stuckAfter }),
        TimeProvider.System);

    [Fact]
    public async Task Trouble_PassThatDoesNotEnd_NamesModelRowsStepAndSetting()
    {
        using var watch = Watch(TimeSpan.FromSeconds(1), () => new("cpu", "adm", TimeSpan.FromSeconds(7), 16, 23, 100));
        await watch.StartAsync(CancellationToken.None);

        var trouble = await watch.Trouble.WaitAsync(s_generous);

        Assert.Equal((EngineTroubleKind.Stuck, "adm"), (trouble.Kind, trouble.Model));
        foreach (var part in new[] { "adm", "16 row(s)", "step 23", "7 s", "Taba:Engine:StuckAfter" })
            Assert.Contains(part, trouble.What, StringComparison.Ordinal);
        Assert.Same(trouble, Assert.IsType<EngineTroubleException>(await _faults.Fault.WaitAsync(s_generous)).Trouble);
        await watch.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Trouble_PassesThatEnd_NeverCompletes()
    {
        var looks = 0;
        using var seen = new SemaphoreSlim(0);
        using var watch = Watch(TimeSpan.FromSeconds(1), () =>
        {
            seen.Release();
            return new("cpu", "adm", ++looks % 2 == 0 ? null : TimeSpan.FromSeconds(1), 16, looks, looks);
        });
        await watch.StartAsync(CancellationToken.None);
        for (var i = 0; i < 4; i++)
            Assert.True(await seen.WaitAsync(s_generous));
        Assert.False(watch.Trouble.IsCompleted);
        await watch.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ExecuteAsync_TurnedOff_NeverLooks()
    {
        var looked = false;
        using var watch = Watch(TimeSpan.Zero, () =>
        {
            looked = true;
            return new("cpu", "adm", TimeSpan.FromDays(1), 1, 1, 1);
        });
        await watch.StartAsync(CancellationToken.None);
        await watch.ExecuteTask!.WaitAsync(s_generous);
        Assert.False(looked);
    }

    [Fact]
    public async Task EngineExit_AfterTrouble_WaitsForReportsAndEndsTheProcessWithStatus3()
    {
        var reports = new TaskCompletionSource();
        var status = new TaskCompletionSource<int>();
        using var watch = Watch(TimeSpan.Zero, () => new("cpu", "adm", null, 0, 0, 0));
        using var exit = new EngineExit(watch, () => reports.Task, status.SetResult);
        await exit.StartAsync(CancellationToken.None);
        _troubles.Report(new(EngineTroubleKind.DeviceBroken, "cpu", "adm", "The device is broken."));
        _troubles.Report(new(EngineTroubleKind.Stuck, "cpu", "adm", "Not the first trouble."));
        Assert.True(_troubles.NoneLeft);
        reports.SetResult();
        Assert.Equal(3, await status.Task.WaitAsync(s_generous));
        Assert.Equal(EngineTroubleKind.DeviceBroken, (await watch.Trouble).Kind);
    }
}
