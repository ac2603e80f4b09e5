using System.Collections.Immutable;

namespace Taba.Grains.Dispatch;

/// <summary>What the board says of itself to people. A pass over the live sweeps and over the pauses.</summary>
sealed partial class DispatchBoard
{
    /// <param name="ask">Which sweeps and workers.</param>
    /// <param name="known">Whether a worker has ever asked.</param>
    /// <param name="inVain">Who found nothing.</param>
    public DispatchStanding Standing(StandingAsk ask, Func<string, bool> known, VainAsks inVain)
    {
        var ready = _sweeps.Values.Select(s => (s.Entry, Rows: s.Stages.Sum(t => ReadyOf(t.StageKey, s.Entry.SweepId)))).ToList();
        var asked = ask.Sweeps.Take(DispatchStanding.Most).ToHashSet();
        var pauses = PausesOf(ask.Workers.Take(DispatchStanding.Most).ToHashSet());
        return new(
            ready.Count, ready.Count(s => s.Entry.Paused), ready.Where(s => !s.Entry.Paused).Sum(s => s.Rows), inVain.ForRows,
            [
                .. ready.Where(s => asked.Contains(s.Entry.SweepId)).Select(s => new SweepStanding(
                    s.Entry.SweepId, s.Entry.Priority, s.Entry.Paused, s.Rows,
                    ready.Where(o => o.Entry.Priority > s.Entry.Priority && !o.Entry.Paused && o.Rows > 0)
                        .OrderByDescending(o => o.Entry.Priority).Select(o => o.Entry.Name).FirstOrDefault())),
            ],
            [.. pauses.Where(w => known(w.Key)).Select(w => new WorkerStanding(w.Key, inVain.ForRowsSince(w.Key), [.. w.Value]))])
        {
            WorkersWaitingForParts = inVain.ForParts,
            Silent =
            [
                .. _stages.Values.Where(s => s.Failures > 0 && s.Ready.Keys.Any(asked.Contains)).Take(DispatchStanding.MostOfEach)
                    .Select(s => new StageSilence(s.Offer.Work.Key, s.Silence, s.SilenceOfStore, Rest(s.FailedAt, s.Pause))),
            ],
        };
    }

    long ReadyOf(string stageKey, string sweepId) =>
        _stages.TryGetValue(stageKey, out var stage) ? stage.Ready.GetValueOrDefault(sweepId) : 0;

    Dictionary<string, List<StagePause>> PausesOf(IReadOnlySet<string> workers)
    {
        var pauses = workers.ToDictionary(w => w, _ => new List<StagePause>());
        foreach (var stage in _stages.Values)
        {
            foreach (var (worker, pause) in stage.PausedSince)
            {
                if (pauses.TryGetValue(worker, out var some) && some.Count < DispatchStanding.MostOfEach
                    && Rest(pause.At, pause.Length) is var rest && rest > TimeSpan.Zero)
                    some.Add(new(stage.Offer.Work.Key, stage.Offer.Work.Name ?? "a stage", pause.Reason, rest));
            }
        }
        return pauses;
    }

    TimeSpan Rest(long since, TimeSpan length)
    {
        if (length == TimeSpan.MaxValue)
            return length;
        var rest = length - time.GetElapsedTime(since);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}
