using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Telemetry;

/// <summary>
/// The rows of a sweep that could be computed now and are not: wanted, their inputs there, neither done nor out with a worker. Two sweeps
/// that want the same rows both count them.
/// </summary>
sealed class WaitingWork : IDisposable
{
    static readonly Meter s_meter = new(GrainInstruments.MeterName, GrainInstruments.Version);
    static readonly ConcurrentDictionary<WaitingWork, bool> s_all = [];

    readonly TimeProvider _time;
    // By stage: what was done and out when it last changed, and when that was.
    readonly Dictionary<string, (int Done, int Out, long At)> _moved = [];
    volatile IReadOnlyList<Entry> _entries = [];

    static WaitingWork()
    {
        s_meter.CreateObservableUpDownCounter(
            "taba.work.waiting", () => Read(g => g.Sum(e => e.Rows)), "{row}", "Rows that could be computed now and wait for a device");
        s_meter.CreateObservableGauge(
            "taba.work.waiting.age", () => Read(g => g.Max(e => e.Age)), "s",
            "How long the stage that stands still longest has waited with rows that could be computed");
    }

    public WaitingWork(TimeProvider time) => _time = time;

    /// <summary>Takes in how the stages of the sweep stand now. Nothing waits while the sweep is paused or has ended.</summary>
    public void Update(SweepPlan plan, IReadOnlyList<StageStatus> stages, bool runs)
    {
        if (!runs)
        {
            Dispose();
            _entries = [];
            _moved.Clear();
            return;
        }
        var done = stages.ToDictionary(s => s.Key, s => s.Done);
        var entries = new List<Entry>();
        for (var i = 0; i < stages.Count; i++)
        {
            var (planned, status) = (plan.Stages[i], stages[i]);
            var ready = RowSet.Of(planned.Rows);
            foreach (var input in planned.Spec.InputKeys)
            {
                if (done.TryGetValue(input, out var inputs))
                    ready = ready.Intersect(planned.Spec.Ready(inputs));
            }
            var waiting = ready.Subtract(status.Done).Count - status.RowsLeased - status.RowsFailed;
            var before = _moved.GetValueOrDefault(status.Key);
            if (before.At == 0 || before.Done != status.RowsDone || before.Out != status.RowsLeased || waiting <= 0)
                _moved[status.Key] = before = (status.RowsDone, status.RowsLeased, _time.GetTimestamp());
            if (waiting > 0)
                entries.Add(new(GrainInstruments.Model(planned.Spec), planned.Spec.Kind, waiting, before.At, _time));
        }
        _entries = entries;
        s_all[this] = true;
    }

    public void Dispose() => s_all.TryRemove(this, out _);

    static List<Measurement<T>> Read<T>(Func<IEnumerable<Entry>, T> of)
        where T : struct => s_all.Keys
        .SelectMany(w => w._entries)
        .GroupBy(e => (e.Model, e.Kind))
        .Select(g => new Measurement<T>(of(g), GrainInstruments.Tags(g.Key.Model, g.Key.Kind)))
        .ToList();

    sealed record Entry(string Model, StageKind Kind, int Rows, long Since, TimeProvider Time)
    {
        public double Age => Time.GetElapsedTime(Since).TotalSeconds;
    }
}
