using System.Collections.Concurrent;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;

namespace Taba.Scale;

/// <summary>The engines of a silo with several simulated devices: everything that grains see of engines, and no network.</summary>
sealed class SimulatedEngines : IEngineHost, IDisposable
{
    readonly SimulatedDevice[] _devices;
    readonly ConcurrentDictionary<long, SimulatedRow> _rows = new();
    readonly IGrainFactory _grains;
    readonly ScaleOptions _options;
    readonly Guid _incarnation = Guid.NewGuid();
    long _tickets;

    public SimulatedEngines(IGrainFactory grains, ScaleOptions options)
    {
        (_grains, _options) = (grains, options);
        _devices =
        [
            .. Enumerable.Range(0, options.DevicesPerSilo)
                .Select(i => new SimulatedDevice($"simulated device {i}", options.Batch, options.PassTime, row => ReportAsync(row).Ignore())),
        ];
    }

    public int SegmentSteps => _options.SegmentSteps;

    public int BatchSize => _options.Batch * _devices.Length;

    public int Slots => 2 * BatchSize;

    public long RowSteps => _devices.Sum(d => d.RowSteps);

    public long Passes => _devices.Sum(d => d.Passes);

    public string EngineKey(StageSpec spec) => "simulated";

    public SlotTicket Open(PartAttempt attempt, int sample)
    {
        var device = 0;
        for (var i = 1; i < _devices.Length; i++)
        {
            if (_devices[i].Load < _devices[device].Load)
                device = i;
        }
        var ticket = new SlotTicket(_incarnation, Interlocked.Increment(ref _tickets));
        _rows[ticket.Index] = new(attempt, sample, ticket, device);
        return ticket;
    }

    public void RunSegment(SlotTicket slot, int steps)
    {
        if (!_rows.TryGetValue(slot.Index, out var row))
            return;
        row.StepsLeft = steps;
        row.NextStep += steps;
        _devices[row.Device].Enqueue(row);
    }

    public void Close(SlotTicket slot)
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
        var completed = row.NextStep >= _options.Steps;
        if (completed)
            _rows.TryRemove(row.Ticket.Index, out _);
        // The device's thread goes on; what follows is the thread pool's.
        await Task.Yield();
        await _grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(row.Attempt.StageKey, row.Sample))
            .SegmentEndedAsync(row.Attempt, row.NextStep, completed);
    }
}
