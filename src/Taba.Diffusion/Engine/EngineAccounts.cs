using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Taba.Diffusion.Engine;

/// <summary>
/// The time of all engines of the process by what they did with it, and their limits, read when somebody asks. An engine that waits
/// for work does not turn, so its idle time could not be counted by events alone.
/// </summary>
sealed class EngineAccounts
{
    readonly Lock _lock = new();
    readonly HashSet<EngineTelemetry> _live = [];
    // Of engines that are gone, and of networks that have none: a model that is unloaded and loaded again must not set its counter back.
    readonly Dictionary<(object? Model, object? Device), Times> _gone = [];

    public EngineAccounts(Meter meter)
    {
        meter.CreateObservableCounter("taba.engine.time", ReadTimes, "s", "Time of the engine's thread by what it was spent on");
        meter.CreateObservableUpDownCounter("taba.engine.slot.limit", () => Sum(e => e.SlotLimit), "{slot}", "Slots that the engine has");
        meter.CreateObservableUpDownCounter(
            "taba.engine.batch.limit", () => Sum(e => Volatile.Read(ref e.Counters.BatchLimit)), "{row}",
            "The most rows of one forward pass; it falls when the device runs out of memory");
    }

    public void Open(EngineTelemetry engine)
    {
        lock (_lock)
            _live.Add(engine);
    }

    public void Close(EngineTelemetry engine)
    {
        lock (_lock)
        {
            if (_live.Remove(engine))
                _gone[Key(engine)] = _gone.GetValueOrDefault(Key(engine)) + Times.Of(engine.Counters);
        }
    }

    /// <summary>Adds network time of something that is no engine.</summary>
    public void Add(string model, string device, TimeSpan time)
    {
        var ticks = (long)(time.TotalSeconds * Stopwatch.Frequency);
        lock (_lock)
            _gone[(model, device)] = _gone.GetValueOrDefault((model, device)) + new Times(ticks, 0, 0, 0, 0);
    }

    IEnumerable<Measurement<double>> ReadTimes()
    {
        lock (_lock)
        {
            var all = new Dictionary<(object?, object?), Times>(_gone);
            foreach (var engine in _live)
                all[Key(engine)] = all.GetValueOrDefault(Key(engine)) + Times.Of(engine.Counters);
            return [.. all.SelectMany(e => e.Value.Measurements(e.Key))];
        }
    }

    IEnumerable<Measurement<int>> Sum(Func<EngineTelemetry, int> of)
    {
        lock (_lock)
            return [.. _live.GroupBy(Key).Select(g => new Measurement<int>(g.Sum(of), Tags(g.Key)))];
    }

    static (object? Model, object? Device) Key(EngineTelemetry engine) => (engine.Tags[0].Value, engine.Tags[1].Value);

    static KeyValuePair<string, object?>[] Tags((object? Model, object? Device) key) =>
        [new("taba.model", key.Model), new("taba.device", key.Device)];

    readonly record struct Times(long Network, long Overhead, long OutputWait, long Linger, long Idle)
    {
        public static Times Of(EngineCounters counters) => new(
            Interlocked.Read(ref counters.NetworkTicks), Interlocked.Read(ref counters.OverheadTicks),
            Interlocked.Read(ref counters.OutputWaitTicks), Interlocked.Read(ref counters.LingerTicks),
            counters.IdleUntil(Stopwatch.GetTimestamp()));

        public static Times operator +(Times a, Times b) => new(
            a.Network + b.Network, a.Overhead + b.Overhead, a.OutputWait + b.OutputWait, a.Linger + b.Linger, a.Idle + b.Idle);

        public IEnumerable<Measurement<double>> Measurements((object? Model, object? Device) key)
        {
            foreach (var (state, ticks) in new[]
            {
                ("network", Network), ("overhead", Overhead), ("output_wait", OutputWait), ("linger", Linger), ("idle", Idle),
            })
                yield return new((double)ticks / Stopwatch.Frequency, [.. Tags(key), new("taba.state", state)]);
        }
    }
}
