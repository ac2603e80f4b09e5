using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;
using Taba.Storage.Manifests;
using Taba.Testing;

namespace Taba.Silo.Tests.Hosting;

/// <summary>The time that a published part says its rows took.</summary>
public sealed class ComputingTimeTests : IDisposable
{
    static readonly TimeSpan s_pass = TimeSpan.FromMilliseconds(10);

    readonly TempFolder _folder = new();
    readonly FaultyNetworks _networks = new();
    int _passes;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Seconds_OfPartsThatASecondProcessEnds_HoldWhatTheFirstGaveThem()
    {
        var plan = EmbeddedSiloTests.Plan(
            new() { Name = "time", Models = [GaussianModel.Write(_folder.Path)], Samples = 32, Seeds = [420], NumInferenceSteps = [50] });
        var some = new TaskCompletionSource();
        _networks.BeforePass = _ =>
        {
            if (Interlocked.Increment(ref _passes) == 120)
                some.TrySetResult();
            var began = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(began) < s_pass)
                Thread.SpinWait(100);
        };
        await using (var silo = await StartAsync())
        {
            await silo.SubmitAsync(plan);
            await some.Task.WaitAsync(TimeSpan.FromSeconds(60));
            await silo.DrainAsync(TimeSpan.FromSeconds(30));
        }
        var before = Volatile.Read(ref _passes);

        await using var again = await StartAsync();
        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(again, plan)).State);

        Assert.InRange(before, 120, _passes - 1);
        var stage = plan.Stages[0];
        var parts = await again.Store.ListAsync(stage.Key, stage.Rows, CancellationToken.None);
        // A pass takes a little longer than its pause. What the first process did is more than half of it all.
        Assert.True(parts.Sum(p => p.Seconds) >= 0.9 * _passes * s_pass.TotalSeconds, $"{parts.Sum(p => p.Seconds)} s, {_passes} passes");
    }

    Task<EmbeddedSilo> StartAsync() => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions
        {
            StoreRoot = Path.Combine(_folder.Path, ".taba"),
            Devices = SiloDevices.Resolve("cpu"),
            BatchSize = 8,
            Command = "test",
            Services = services => services.Replace(ServiceDescriptor.Singleton<INetworks>(_networks)),
        },
        CancellationToken.None);
}
