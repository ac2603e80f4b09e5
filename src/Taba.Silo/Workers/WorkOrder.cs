using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Workers;

/// <summary>
/// The order in which a worker looks for work. Sweeps of higher priority come first. Among equal ones stages whose model is loaded come
/// first, for a load costs seconds to minutes; then the sweep of which this silo took the fewest rows; in a sweep the deepest stage. A
/// model that has waited for <see cref="WorkerSettings.SwitchAfter"/> counts as loaded: no sweep starves, and a silo loads each model at
/// most once in that time. One thread at a time.
/// </summary>
sealed class WorkOrder(TimeProvider time, TimeSpan switchAfter)
{
    readonly Dictionary<string, long> _rowsTaken = [];
    readonly Dictionary<string, long> _coldSince = [];

    /// <summary>The stages to ask, the first first.</summary>
    /// <param name="sweeps">Live sweeps and what each may have work in.</param>
    /// <param name="isLoaded">Whether this silo has an engine loaded.</param>
    public IReadOnlyList<(string SweepId, StageWork Stage)> Of(
        IReadOnlyList<(SweepEntry Sweep, ImmutableArray<StageWork> Work)> sweeps, Func<string, bool> isLoaded)
    {
        Remember(sweeps.Select(s => s.Sweep.SweepId).ToHashSet());
        var cold = sweeps.SelectMany(s => s.Work).Select(w => w.Engine).OfType<string>().Where(e => !isLoaded(e)).ToHashSet();
        foreach (var gone in _coldSince.Keys.Where(e => !cold.Contains(e)).ToList())
            _coldSince.Remove(gone);
        foreach (var engine in cold)
            _coldSince.TryAdd(engine, time.GetTimestamp());
        return
        [
            .. sweeps.Where(s => !s.Sweep.Paused)
                .SelectMany(s => s.Work.Select(work => (s.Sweep, Work: work)))
                .OrderByDescending(s => s.Sweep.Priority)
                .ThenBy(s => MustWait(s.Work))
                .ThenBy(s => _rowsTaken[s.Sweep.SweepId])
                .Select(s => (s.Sweep.SweepId, s.Work)),
        ];
    }

    /// <summary>Counts rows against a sweep's share.</summary>
    public void Took(string sweepId, int rows) => _rowsTaken[sweepId] = _rowsTaken.GetValueOrDefault(sweepId) + rows;

    bool MustWait(StageWork work) =>
        work.Engine is { } engine && _coldSince.TryGetValue(engine, out var since) && time.GetElapsedTime(since) < switchAfter;

    void Remember(HashSet<string> live)
    {
        foreach (var gone in _rowsTaken.Keys.Where(id => !live.Contains(id)).ToList())
            _rowsTaken.Remove(gone);
        // One that has just come does not get all that others took before it.
        var least = _rowsTaken.Count == 0 ? 0 : _rowsTaken.Values.Min();
        foreach (var sweep in live)
            _rowsTaken.TryAdd(sweep, least);
    }
}
