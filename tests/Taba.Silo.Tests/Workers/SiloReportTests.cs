using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Taba.Grains.Silos;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;
using Taba.Silo.Tests.Hosting;
using Taba.Silo.Workers;

namespace Taba.Silo.Tests.Workers;

/// <summary>What a silo says of itself, against what it does.</summary>
public sealed class SiloReportTests : IDisposable
{
    static readonly TimeSpan s_generous = TimeSpan.FromSeconds(60);

    readonly string _folder = Directory.CreateTempSubdirectory("taba-report-").FullName;
    readonly FaultyNetworks _networks = new();
    readonly SweepPlan _plan;
    IServiceProvider _services = null!;

    public SiloReportTests() => _plan = EmbeddedSiloTests.Plan(new()
    {
        Name = "gaussian", Models = [GaussianModel.Write(_folder)], Samples = 64, Seeds = [420], NumInferenceSteps = [20],
    });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Now_PassThatTakesLong_CountsItWhileItRunsAndWhenItHasEnded()
    {
        using var inPass = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var first = true;
        _networks.BeforePass = _ =>
        {
            if (!first)
                return;
            first = false;
            inPass.Release();
            goOn.Wait(s_generous);
        };
        await using var silo = await StartAsync("cpu");
        await silo.SubmitAsync(_plan);
        Assert.True(await inPass.WaitAsync(s_generous, TestContext.Current.CancellationToken));
        await Task.Delay(300, TestContext.Current.CancellationToken);

        var during = Report();
        goOn.Release();
        await EmbeddedSiloTests.EndAsync(silo, _plan.SweepId);
        var after = Report();

        var device = Assert.Single(during.Devices);
        Assert.Equal(("cpu", true, 0L), (device.Name, device.Works, device.Evaluations));
        Assert.InRange(device.Times.Network, 0.25, during.Uptime.TotalSeconds);
        Assert.False(Assert.Single(device.Models).Loading);
        Assert.InRange(device.SlotsInUse, 1, device.Slots);
        Assert.InRange(during.PartsHeld, 1, 2);
        Assert.False(during.Draining);
        Assert.Equal(("embedded", SiloRole.Worker, "cpu"), (during.Silo.Name, during.Silo.Role, during.Silo.DeviceKind));
        Assert.Equal(ProgramVersion.Own, during.Silo.Version);
        Assert.InRange(during.StoreFree!.Value, 1, long.MaxValue);
        Assert.InRange(during.ScratchFree!.Value, 1, long.MaxValue);

        device = Assert.Single(after.Devices);
        // Once, not twice.
        Assert.InRange(device.Times.Network, 0.25, after.Uptime.TotalSeconds);
        Assert.Equal((64 * 20L, 0, 0), (device.Evaluations, device.SlotsInUse, after.PartsHeld));
        Assert.InRange(device.Passes, 64 * 20 / device.BatchLimit, 64 * 20);
    }

    [Fact]
    public async Task Now_ModelOnItsWay_IsNamedAndItsTimeCounts()
    {
        using var loading = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        _networks.BeforeLoad = _ =>
        {
            loading.Release();
            goOn.Wait(s_generous);
        };
        await using var silo = await StartAsync("cpu");
        await silo.SubmitAsync(_plan);
        Assert.True(await loading.WaitAsync(s_generous, TestContext.Current.CancellationToken));
        await Task.Delay(300, TestContext.Current.CancellationToken);

        var device = Assert.Single(Report().Devices);
        goOn.Release();

        Assert.True(Assert.Single(device.Models).Loading);
        Assert.NotEqual("", device.Models[0].Name);
        Assert.InRange(device.Times.Loading, 0.25, s_generous.TotalSeconds);
        await EmbeddedSiloTests.EndAsync(silo, _plan.SweepId);
        Assert.InRange(Assert.Single(Report().Devices).Times.Loading, device.Times.Loading, s_generous.TotalSeconds);
    }

    [Fact]
    public async Task Now_DeviceThatIsBroken_SaysWhy()
    {
        await using var silo = await StartAsync("cpu:0,cpu:1");
        _services.GetRequiredService<EngineTroubles>().Report(new(EngineTroubleKind.Stuck, "cpu:1", "gaussian", new string('x', 500)));

        var devices = Report().Devices;

        Assert.Equal([true, false], devices.Select(d => d.Works));
        Assert.Equal(Sentences.Short(new string('x', 500)), devices[1].Trouble);
    }

    [Fact]
    public async Task Fleet_EmbeddedSilo_TellsItByItself()
    {
        await using var silo = await StartAsync("cpu");
        var fleet = silo.Grains.GetGrain<IFleetGrain>(0);

        var view = await WhenAsync(v => v.Total == 1);
        Assert.Equal((IdleKind.Drains, "cpu"), (view.Silos[0].Devices[0].Idle, view.Silos[0].Devices[0].Name));

        await EmbeddedSiloTests.RunAsync(silo, _plan);
        view = await WhenAsync(
            v => v.Silos[0].Fare.Devices[0].Evaluations == 64 * 20 && v.All.Points[^1].Seconds + v.All.Points[^2].Seconds > 2);
        Assert.Equal((IdleKind.NoWork, 1), (view.Silos[0].Devices[0].Idle, view.DevicesWorking));
        Assert.Contains(view.All.Points, p => p.Network > 0 && p.Fill > 0);

        async Task<FleetView> WhenAsync(Func<FleetView, bool> condition)
        {
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < s_generous;)
            {
                var now = await fleet.GetAsync(new(0, 10));
                if (condition(now))
                    return now;
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
            throw new TimeoutException("The fleet's grain heard nothing of it.");
        }
    }

    /// <summary>docs/design/dashboard.md has what this writes.</summary>
    [Fact]
    public async Task Now_AgainAndAgain_CostsLittle()
    {
        await using var silo = await StartAsync("cpu:0,cpu:1");
        await EmbeddedSiloTests.RunAsync(silo, _plan);
        const int Reports = 2000;
        Report();
        var (clock, before) = (Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Reports; i++)
            Report();
        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / Reports;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"a report: {clock.Elapsed.TotalMicroseconds / Reports:F1} µs, {bytes} bytes allocated");
        Assert.InRange(bytes, 1, 16 << 10);
    }

    SiloFare Report() => _services.GetRequiredService<SiloReport>().Now();

    Task<EmbeddedSilo> StartAsync(string devices) => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions
        {
            StoreRoot = Path.Combine(_folder, ".taba"),
            Devices = SiloDevices.Resolve(devices),
            BatchSize = 16,
            Command = "test",
            Services = services =>
            {
                services.Replace(ServiceDescriptor.Singleton<INetworks>(_networks));
                services.AddSingleton<IHostedService>(provider => new Witness(() => _services = provider));
            },
        },
        CancellationToken.None);

    sealed class Witness(Action started) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            started();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
