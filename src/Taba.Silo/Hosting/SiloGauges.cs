using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Taba.Storage.Checkpoints;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Silo.Telemetry;
using Taba.Silo.Workers;

namespace Taba.Silo.Hosting;

/// <summary>Numbers of this silo that are read when somebody asks: its disk, its checkpoints, its device, its age.</summary>
sealed class SiloGauges(
    FreeSpace space, PartCheckpoints checkpoints, SiloDevices devices, GpuMemories memories, EngineTroubles troubles, WorkerRole role,
    IObjectStore objects, IOptions<EngineSettings> settings, TimeProvider time)
    : IHostedService, IDisposable
{
    readonly Meter _meter = new(SiloInstruments.MeterName, SiloInstruments.Version);
    readonly long _began = time.GetTimestamp();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        StoreInstruments.OrphansDeleted.Add(0);
        _meter.CreateObservableGauge("taba.silo.uptime", Uptime, "s", "Time since the silo began");
        _meter.CreateObservableGauge(
            "taba.checkpoint.age", () => checkpoints.OldestWaiting.TotalSeconds, "s",
            "How long the oldest checkpoint has waited for the disk");
        _meter.CreateObservableGauge(
            "taba.checkpoint.interval", () => settings.Value.CheckpointEvery.TotalSeconds, "s", "The setting CheckpointEvery");
        // Not when somebody asks: a network's folder that hangs would take all the other numbers with it.
        space.Begin();
        if (objects is FolderObjects)
            _meter.CreateObservableGauge("taba.store.free", () => Of(space.Store, []), "By", "Free space where the tensors are");
        if (role.HasDevice)
        {
            _meter.CreateObservableGauge(
                "taba.device.working", () => devices.Select(d => new Measurement<int>(troubles.Works(d.Name) ? 1 : 0, OnDevice(d.Name))),
                "1", "1 while the device takes work, 0 when it hangs or is broken");
        }
        var gpus = memories.Gpus.Select(d => (Tag: OnDevice(d.Key), Nvml: d.Value)).ToList();
        if (gpus.Count > 0)
        {
            _meter.CreateObservableUpDownCounter(
                "taba.device.memory.usage", () => gpus.SelectMany(d => Of(d.Nvml.Memory?.Used, [d.Tag])), "By",
                "Memory of the device that is taken, by whomever");
            _meter.CreateObservableUpDownCounter(
                "taba.device.memory.limit", () => gpus.SelectMany(d => Of(d.Nvml.Memory?.Total, [d.Tag])), "By", "Memory of the device");
            _meter.CreateObservableGauge(
                "taba.device.utilization", () => gpus.SelectMany(d => Of(d.Nvml.Utilization, [d.Tag])), "1",
                "Share of time in which some kernel ran on the device");
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _meter.Dispose();

    static KeyValuePair<string, object?> OnDevice(string device) => new("taba.device", device);

    Measurement<double> Uptime() => new(
        time.GetElapsedTime(_began).TotalSeconds,
        new KeyValuePair<string, object?>("taba.role", role.HasDevice ? "worker" : "coordinator"));

    static IEnumerable<Measurement<T>> Of<T>(T? value, KeyValuePair<string, object?>[] tags)
        where T : struct => value is { } known ? [new(known, tags)] : [];
}
