using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Hosting;

namespace Taba.Silo.Tests.Hosting;

/// <summary>
/// A silo with two devices: both work, and what happens to one of them does not stop the other. A device that is of no more use is left
/// alone; when none is left, the silo says so, as one with a single device does.
/// </summary>
public sealed class SeveralDevicesTests : IDisposable
{
    const int Samples = 256;
    const int Steps = 20;
    const string Cuda = "CUDA error: an illegal memory access was encountered";

    static readonly TimeSpan s_generous = TimeSpan.FromSeconds(60);

    readonly string _folder = Directory.CreateTempSubdirectory("taba-devices-").FullName;
    readonly FaultyNetworks _networks = new();
    readonly ConcurrentDictionary<string, int> _passes = new();
    readonly ManualResetEventSlim _hang = new();
    readonly SweepPlan _plan;

    public SeveralDevicesTests()
    {
        _plan = EmbeddedSiloTests.Plan(new()
        {
            Name = "gaussian", Models = [GaussianModel.Write(_folder)], Samples = Samples, Seeds = [420], NumInferenceSteps = [Steps],
        });
        _networks.BeforePass = device => Count(device);
    }

    public void Dispose()
    {
        _hang.Set();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Submit_ManyParts_KeepsBothDevicesBusyAndTellsWhoDidWhat()
    {
        // Neither does its first pass before the other has begun one.
        using var both = new CountdownEvent(2);
        _networks.BeforePass = device =>
        {
            if (Count(device) == 1)
                both.Signal();
            Assert.True(both.Wait(s_generous), "the other device had nothing to do");
        };
        await using var silo = await StartAsync();

        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, _plan)).State);

        var byDevice = await EvaluationsAsync(silo);
        Assert.Equal(["cpu:0", "cpu:1"], byDevice.Keys.Order());
        Assert.Equal(Samples * Steps, byDevice.Values.Sum());
        var status = await Model(silo, "cpu:1").GetStatusAsync();
        Assert.Equal((EngineResidency.Loaded, 0), (status.Engine.Residency, status.Parts));
        Assert.Equal(byDevice["cpu:1"], status.Engine.Evaluations);
        Assert.Null(status.Engine.Fault);
    }

    [Fact]
    public async Task Submit_OneDeviceHangs_TheOtherEndsTheSweep()
    {
        _networks.BeforePass = device =>
        {
            if (Count(device) == 3 && device == "cpu:0")
                _hang.Wait();
        };
        await using var silo = await StartAsync(("StuckAfter", "00:00:00.5"));

        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, _plan).WaitAsync(s_generous)).State);

        Assert.False(silo.Fault.IsCompleted);
        Assert.Equal(Samples * Steps, (await EvaluationsAsync(silo)).Values.Sum());
        Assert.Contains("Taba:Engine:StuckAfter", (await Model(silo, "cpu:0").GetStatusAsync()).Engine.Fault, StringComparison.Ordinal);
        Assert.Null((await Model(silo, "cpu:1").GetStatusAsync()).Engine.Fault);
    }

    [Fact]
    public async Task Submit_OneDeviceBreaks_TheOtherEndsTheSweepAndItTakesNothingMore()
    {
        _networks.BeforePass = device =>
        {
            if (device == "cpu:1" && Count(device) >= 3)
                throw new CudaException(Cuda);
        };
        await using var silo = await StartAsync();

        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, _plan).WaitAsync(s_generous)).State);

        Assert.False(silo.Fault.IsCompleted);
        Assert.Equal(["cpu:0"], (await EvaluationsAsync(silo)).Keys);
        Assert.Equal(3, _passes["cpu:1"]);
    }

    [Fact]
    public async Task Submit_OneDeviceCannotLoadTheModel_TheOtherTakesItAll()
    {
        _networks.BeforeLoad = device =>
        {
            if (device == "cpu:0")
                throw new InvalidOperationException("this device has too little memory");
        };
        await using var silo = await StartAsync();

        Assert.Equal(SweepState.Completed, (await EmbeddedSiloTests.RunAsync(silo, _plan).WaitAsync(s_generous)).State);

        Assert.False(silo.Fault.IsCompleted);
        Assert.Equal(["cpu:1"], (await EvaluationsAsync(silo)).Keys);
        Assert.Contains("too little memory", (await Model(silo, "cpu:0").GetStatusAsync()).Engine.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_OneDeviceFailsEveryPass_TheOtherEndsTheSweepAndNoSampleIsBlamed()
    {
        _networks.BeforePass = device =>
        {
            if (device == "cpu:1")
                throw new InvalidOperationException("a kernel is missing");
        };
        await using var silo = await StartAsync();

        var status = await EmbeddedSiloTests.RunAsync(silo, _plan).WaitAsync(s_generous);

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Empty(status.Failures);
        Assert.False(silo.Fault.IsCompleted);
        Assert.Equal(["cpu:0"], (await EvaluationsAsync(silo)).Keys);
    }

    [Fact]
    public async Task Submit_EveryDeviceBreaks_IsReportedAsWithOne()
    {
        _networks.BeforePass = device =>
        {
            if (Count(device) >= 3)
                throw new CudaException(Cuda);
        };
        await using var silo = await StartAsync();
        await silo.SubmitAsync(_plan);

        var fault = Assert.IsType<EngineTroubleException>(await silo.Fault.WaitAsync(s_generous));

        Assert.Equal(EngineTroubleKind.DeviceBroken, fault.Trouble.Kind);
        Assert.Equal(2, _passes.Count);
    }

    [Fact]
    public async Task Submit_NoDeviceCanLoadTheModel_FaultsTheSweepWithTheReason()
    {
        _networks.BeforeLoad = _ => throw new InvalidOperationException("the weights are damaged");
        await using var silo = await StartAsync();
        await silo.SubmitAsync(_plan);

        Assert.Contains("the weights are damaged", (await silo.Fault.WaitAsync(s_generous)).Message, StringComparison.Ordinal);

        var status = await EmbeddedSiloTests.EndAsync(silo, _plan.SweepId);
        Assert.Equal(SweepState.Faulted, status.State);
        Assert.Contains("the weights are damaged", status.Fault, StringComparison.Ordinal);
    }

    /// <summary>What TorchSharp throws is an ExternalException.</summary>
    sealed class CudaException(string message) : ExternalException(message);

    int Count(string device) => _passes.AddOrUpdate(device, 1, (_, passes) => passes + 1);

    IModelGrain Model(EmbeddedSilo silo, string device) => silo.Grains.GetGrain<IModelGrain>(
        PinnedToSiloPlacement.Key(silo.Address, new(device, StageEngine.Of(_plan.Stages[0].Spec))));

    async Task<Dictionary<string, long>> EvaluationsAsync(EmbeddedSilo silo) =>
        (await silo.Store.ListAsync(_plan.Stages[0].Key, CancellationToken.None)).GroupBy(m => m.Device)
            .ToDictionary(d => d.Key, d => d.Sum(m => m.Evaluations));

    Task<EmbeddedSilo> StartAsync(params (string Name, string Value)[] settings) => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions
        {
            StoreRoot = Path.Combine(_folder, ".taba"),
            Devices = SiloDevices.Resolve("cpu", 2, gpus: 0, cores: 2),
            Command = "test",
            Settings = [.. settings.Select(s => KeyValuePair.Create($"Taba:Engine:{s.Name}", (string?)s.Value))],
            Services = services => services.Replace(ServiceDescriptor.Singleton<INetworks>(_networks)),
        },
        CancellationToken.None);
}
