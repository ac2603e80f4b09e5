using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Grains.Dispatch;
using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Silo.Faults;

namespace Taba.Silo.Engines;

/// <summary>
/// The devices of this silo. A part is prepared on one of them, and all its rows run there: on the one that has the fewest full passes to
/// do, and among equal ones on one that has the model.
/// </summary>
sealed class EngineDevices : IModelEngines, IEngineCapacity, IAsyncDisposable
{
    /// <summary>One part passes through an autoencoder while the next is read.</summary>
    const int AutoencoderPartsOfADevice = 2;

    static readonly DeviceLoad s_nothing = new(() => 1);

    readonly Lock _gate = new();
    readonly ImmutableArray<EngineDevice> _devices;
    readonly EngineLoader _loader;
    readonly EngineTroubles _troubles;
    readonly SampleReports _reports;
    readonly FaultMonitor _faults;
    readonly IGrainFactory _grains;
    readonly ILocalSiloDetails _silo;

    public EngineDevices(
        SiloDevices devices, Func<DeviceChoice, string, ModelEngine> makeEngine, Func<DeviceChoice, AutoencoderHost> makeAutoencoders,
        EngineLoader loader, EngineTroubles troubles, SampleReports reports, FaultMonitor faults, IGrainFactory grains,
        ILocalSiloDetails silo, IOptions<EngineSettings> settings)
    {
        (_loader, _troubles, _reports, _faults, _grains, _silo) = (loader, troubles, reports, faults, grains, silo);
        MaxModels = settings.Value.MaxModels;
        _devices = [.. devices.Select(device => new EngineDevice(device, loader.BatchSize, makeEngine, makeAutoencoders(device)))];
    }

    public int MaxModels { get; }

    /// <summary>The kind of all of them, for numbers depend on it.</summary>
    public string Kind => _devices[0].Kind;

    public bool CanWork => !_troubles.NoneLeft;

    public int BatchSize => Working.Sum(d => d.BatchSize);

    public int Slots => 2 * BatchSize;

    public int Devices => Working.Count();

    public int AutoencoderParts => Devices * AutoencoderPartsOfADevice;

    /// <summary>The pass that each engine is in at this moment, and its turns so far; those of lost devices are left out.</summary>
    public ImmutableArray<EngineHeartbeat> Heartbeats =>
        [.. Working.SelectMany(d => d.Engines).Select(e => e.Heartbeat).OfType<EngineHeartbeat>()];

    /// <summary>Statistics of every engine that the silo had.</summary>
    public IReadOnlyList<(ModelAddress Model, EngineStatistics Statistics)> Statistics =>
    [
        .. _devices.SelectMany(d => d.Engines).SelectMany(
            e => e.Statistics.Select(s => (new ModelAddress(e.Device.Name, e.Key), s))),
    ];

    /// <summary>How each device fares.</summary>
    public ImmutableArray<DeviceFare> Fares => [.. _devices.Select(d => d.Fare(_troubles.Of(d.Name)?.What))];

    /// <summary>What each device did that evaluated anything.</summary>
    public ImmutableArray<DeviceUse> Uses => [.. _devices.Select(d => d.Use).OfType<DeviceUse>()];

    IEnumerable<EngineDevice> Working => _devices.Where(d => _troubles.Works(d.Name));

    public ImmutableArray<ResidentEngine> Loaded =>
        [.. Working.SelectMany(d => d.Resident).Distinct().Select(engine => new ResidentEngine(engine, SecondsOf(engine)))];

    public IModelEngine Get(ModelAddress model) => Find(model.Device).Engine(model.Engine);

    public ImmutableArray<string> Resident(string device) => Find(device).Resident;

    double SecondsOf(string engine)
    {
        var done = Statistics.Where(s => s.Model.Engine == engine).Select(s => s.Statistics).ToList();
        var evaluations = done.Sum(s => s.Evaluations);
        return evaluations == 0 ? 0
            : done.Sum(s => (s.NetworkTime + s.OverheadTime + s.OutputWaitTime).TotalSeconds) / evaluations;
    }

    /// <summary>Has a device load the model of a part unless it is loaded. The caller disposes the claim when the part ends.</summary>
    /// <exception cref="EngineTroubleException">No device is left.</exception>
    /// <exception cref="EngineStoppedException">No device can load the model; the message is the first's.</exception>
    public async Task<EngineClaim> ClaimAsync(PartLease lease)
    {
        var key = StageEngine.Of(lease.Spec);
        try
        {
            return await OnOneAsync(
                key, lease.Spec.Model, d => d.Rows, lease.Rows.Count, (device, rows) => ClaimAsync(device, rows, key, lease));
        }
        catch (EngineStoppedException exception) when (!_reports.Draining)
        {
            _faults.Report(exception.InnerException ?? exception, $"the engine of model {lease.Spec.Model.Path}");
            throw;
        }
    }

    /// <summary>Has a part's rows pass through an autoencoder.</summary>
    /// <returns>Rows that came out with a NaN or an infinite value.</returns>
    public Task<ImmutableArray<SampleFailure>> PassAsync(ActivePart part, CancellationToken cancellationToken) => OnOneAsync(
        $"autoencoder {part.Lease.Spec.Model.Digest}", part.Lease.Spec.Model, d => d.AutoencoderParts, 1, async (device, counted) =>
        {
            using (counted)
                return await device.Autoencoders.PassAsync(part, cancellationToken);
        });

    /// <summary>Lets running segments end and accepts no new ones. Their checkpoints are on their way to the disk afterwards.</summary>
    public async Task DrainAsync()
    {
        _reports.BeginDraining();
        await Task.WhenAll(Working.SelectMany(d => d.Engines).Select(e => e.DrainAsync()));
        await _reports.AllAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var device in _devices)
            await device.DisposeAsync();
    }

    async Task<EngineClaim> ClaimAsync(EngineDevice device, IDisposable rows, string key, PartLease lease)
    {
        var model = new ModelAddress(device.Name, key);
        var grain = _grains.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(_silo.SiloAddress, model));
        try
        {
            await grain.AcquireAsync(lease.Attempt, lease.Spec);
            var engine = await device.Engine(key).WhenLoadedAsync();
            // One that was on its way when the silo began to drain has not heard of it.
            return _reports.Draining
                ? throw new EngineStoppedException($"{device.Name} begins nothing more: the silo ends.")
                : new EngineClaim(model, engine, Release);
        }
        catch
        {
            Release();
            throw;
        }

        void Release()
        {
            rows.Dispose();
            // When the grain cannot be told, the silo ends, and the engine with it.
            grain.ReleaseAsync(lease.Attempt).AsTask().Ignore();
        }
    }

    /// <summary>
    /// Does work on the device that has the least to do, and when it fails there on the next. A device that failed where another did not is
    /// given such work last.
    /// </summary>
    /// <param name="kind">The kind of work: the key of an engine, for one.</param>
    /// <param name="model">The model, for the log.</param>
    /// <param name="load">What a device has to do of it.</param>
    /// <param name="amount">What this work adds.</param>
    /// <param name="work">The work. It disposes what it is given when the device is done with it.</param>
    async Task<T> OnOneAsync<T>(
        string kind, ModelIdentity model, Func<EngineDevice, DeviceLoad> load, int amount, Func<EngineDevice, IDisposable, Task<T>> work)
    {
        var failed = new List<(EngineDevice Device, Exception Error)>();
        while (Choose(out var counted) is { } device)
        {
            try
            {
                var done = await work(device, counted);
                foreach (var (other, error) in failed)
                    _troubles.TryMistrust(other.Name, kind, model.Name ?? model.Path, error.Message);
                return done;
            }
            catch (Exception error)
            {
                counted.Dispose();
                if (error is OperationCanceledException || _reports.Draining)
                    throw;
                failed.Add((device, error));
            }
        }
        throw failed.Count == 0 ? new EngineTroubleException(await _troubles.Trouble) : failed[0].Error;

        EngineDevice? Choose(out IDisposable counted)
        {
            lock (_gate)
            {
                var chosen = Working.Where(d => failed.All(f => f.Device != d))
                    .OrderBy(d => _troubles.Mistrusts(d.Name, kind) is not null)
                    .ThenBy(d => load(d).Passes).ThenBy(d => !d.Has(kind)).ThenBy(d => load(d).Amount).FirstOrDefault();
                counted = (chosen is null ? s_nothing : load(chosen)).Take(amount);
                return chosen;
            }
        }
    }

    EngineDevice Find(string name) => _devices.FirstOrDefault(d => d.Name == name)
        ?? throw new ArgumentException(
            $"This silo has no device {name}: it has {string.Join(", ", _devices.Select(d => d.Name))}.", nameof(name));
}
