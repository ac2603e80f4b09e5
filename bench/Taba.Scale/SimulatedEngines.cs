using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Models;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;
using Taba.Silo.Engines;

namespace Taba.Scale;

/// <summary>
/// The engines of a silo with several simulated devices: everything that grains and worker see of engines, and no network.
/// </summary>
sealed class SimulatedEngines : IModelEngines, IModelEngine, IEngineCapacity, IDisposable
{
    readonly SimulatedDevice[] _devices;
    readonly ConcurrentDictionary<long, SimulatedRow> _rows = new();
    readonly IGrainFactory _grains;
    readonly ScaleOptions _options;
    readonly SimulatedParts _parts;
    readonly Guid _incarnation = Guid.NewGuid();
    long _tickets;
    long _reportsFailed;

    public SimulatedEngines(IGrainFactory grains, ScaleOptions options, SimulatedParts parts)
    {
        (_grains, _options, _parts) = (grains, options, parts);
        _devices =
        [
            .. Enumerable.Range(0, options.DevicesPerSilo)
                .Select(
                    i => new SimulatedDevice($"simulated device {i}", options.Batch, options.PassTime, row => ReportAsync(row).Ignore())),
        ];
    }

    /// <summary>The one engine of a silo: which device a row has is told from no name.</summary>
    public static ModelAddress Model { get; } = new("simulated", "simulated");

    public int MaxModels => 1;

    public EngineStatus Status => new(
        Model.Engine, EngineResidency.Loaded, Slots, _rows.Count, 0, BatchSize, RowSteps, Passes, InPass: null, Fault: null);

    public int Devices => _devices.Length;

    public int BatchSize => _options.Batch * _devices.Length;

    public int Slots => 2 * BatchSize;

    public int AutoencoderParts => 0;

    public bool CanWork => true;

    public long RowSteps => _devices.Sum(d => d.RowSteps);

    public long Passes => _devices.Sum(d => d.Passes);

    /// <summary>Ends of segments that no grain heard of.</summary>
    public long ReportsFailed => Volatile.Read(ref _reportsFailed);

    public IModelEngine Get(ModelAddress model) => this;

    public ImmutableArray<string> Resident(string device) => [Model.Engine];

    public bool TryReserve() => false;

    public Task LoadAsync(StageSpec spec) => Task.CompletedTask;

    public Task UnloadAsync() => Task.CompletedTask;

    public ImmutableArray<ResidentEngine> Loaded => [];

    public SlotHandle Open(PartAttempt attempt, int sample)
    {
        var ticket = new SlotHandle(_incarnation, Interlocked.Increment(ref _tickets));
        var spec = _parts.Find(attempt)?.Spec;
        _rows[ticket.Index] = new(attempt, sample, ticket, spec?.NumInferenceSteps ?? _options.Steps)
        {
            NextStep = spec is null ? 0 : SimulatedWorkspace.FirstStep(spec),
        };
        return ticket;
    }

    public void RunSegment(SlotHandle slot, int steps)
    {
        if (!_rows.TryGetValue(slot.Index, out var row))
            return;
        row.StepsLeft = Math.Min(steps, _options.SegmentSteps);
        row.NextStep += row.StepsLeft;
        row.Device ??= _devices.MinBy(d => d.Load);
        row.Device!.Enqueue(row);
    }

    public void Close(SlotHandle slot)
    {
        if (_rows.TryRemove(slot.Index, out var row))
            row.Closed = true;
    }

    public void Dispose()
    {
        foreach (var device in _devices)
            device.Dispose();
    }

    async Task ReportAsync(SimulatedRow row)
    {
        var completed = row.NextStep >= row.Steps;
        if (completed)
            _rows.TryRemove(row.Ticket.Index, out _);
        // The device's thread goes on; what follows is the thread pool's.
        await Task.Yield();
        try
        {
            await _grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(row.Attempt.StageKey, row.Sample))
                .SegmentEndedAsync(row.Attempt, row.NextStep, completed);
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _reportsFailed);
        }
    }
}
