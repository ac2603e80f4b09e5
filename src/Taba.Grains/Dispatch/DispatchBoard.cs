using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Dispatch;

/// <summary>
/// Who has work and who gets it. Sweeps of higher priority come first. Among equal ones stages whose engine the worker has loaded
/// come first,
/// for a load costs seconds to minutes; then the sweep that cost the devices least so far; in a sweep the rows that the worker has just
/// finished the inputs of, and then the deepest stage. An engine that a worker was offered in vain for <see cref="WorkAsk.SwitchAfter"/>
/// counts as loaded: no sweep starves, and a silo loads each model at most once in that time. One thread at a time.
/// </summary>
/// <remarks>
/// A choice costs a pass over the live sweeps, and a look at the stages of each that have something ready until one fits, whatever the
/// number of workers and of stages that have nothing.
/// </remarks>
sealed partial class DispatchBoard(TimeProvider time)
{
    /// <summary>A stage that says nothing for so long is gone, or has nothing to do.</summary>
    public static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(60);

    static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(1);

    /// <summary>What a worker holds may take so long; then another one runs empty.</summary>
    static readonly TimeSpan s_runsEmptyWithin = TimeSpan.FromMinutes(10);

    readonly Dictionary<string, BoardStage> _stages = [];
    readonly Dictionary<string, BoardSweep> _sweeps = [];
    readonly Dictionary<string, HashSet<BoardStage>> _readers = [];
    readonly Dictionary<(string Worker, string Engine), long> _coldSince = [];
    readonly Dictionary<string, double> _secondsPerEvaluation = [];
    BoardSweep[]? _order;
    // Stages that have suspect rows for somebody.
    readonly SortedSet<string> _suspected = new(StringComparer.Ordinal);
    RunsEmpty? _runsEmpty;

    /// <summary>Takes what a stage says now in place of what it said before.</summary>
    /// <returns>Whether somebody who found nothing may find something now.</returns>
    public bool Take(StageOffer offer)
    {
        var stage = _stages.GetValueOrDefault(offer.Work.Key);
        if (stage is not null && offer.Version.IsStale(stage.Offer.Version))
            return false;
        Remove(stage);
        if (offer.Rows.IsEmpty)
            return false;
        var now = time.GetTimestamp();
        var next = new BoardStage(offer, now, stage);
        foreach (var pause in offer.Pauses)
            next.PausedSince[pause.Worker] = (now, pause.Rest, pause.Reason ?? "");
        _stages[offer.Work.Key] = next;
        foreach (var input in offer.Inputs)
            (_readers.TryGetValue(input, out var readers) ? readers : _readers[input] = []).Add(next);
        foreach (var rows in offer.Rows)
            SetReady(next, rows.SweepId, rows.Ready);
        if (offer.Rows.Any(r => r.Suspect > 0))
            _suspected.Add(offer.Work.Key);
        return offer.Rows.Any(r => r.Ready > 0 || r.Suspect > 0);
    }

    /// <summary>The sweeps that live now, in the order of their submission. Stages of others get no worker.</summary>
    public void Take(ImmutableArray<SweepEntry> live)
    {
        foreach (var gone in _sweeps.Keys.Except(live.Select(s => s.SweepId)).ToList())
            _sweeps.Remove(gone);
        // One that has just come does not get all that others took before it.
        var least = _sweeps.Count == 0 ? 0 : _sweeps.Values.Min(s => s.Cost);
        foreach (var (entry, i) in live.Select((entry, i) => (entry, i)))
        {
            if (!_sweeps.TryGetValue(entry.SweepId, out var sweep))
            {
                _sweeps[entry.SweepId] = sweep = new(entry) { Cost = least };
                foreach (var stage in _stages.Values)
                {
                    if (stage.Ready.TryGetValue(entry.SweepId, out var ready))
                        SetReady(stage, entry.SweepId, ready);
                }
            }
            (sweep.Entry, sweep.Place) = (entry, i);
        }
        _order = null;
    }

    /// <summary>Forgets stages that have not been heard of for a while.</summary>
    public void Forget()
    {
        foreach (var silent in _stages.Values.Where(s => time.GetElapsedTime(s.HeardAt) > ForgetAfter).ToList())
            Remove(silent);
    }

    /// <summary>
    /// The stage to ask for a worker, and for which sweep; null when there is nothing that fits. What is chosen is reserved.
    /// </summary>
    public Choice? Choose(WorkAsk ask)
    {
        foreach (var engine in ask.Loaded)
        {
            _coldSince.Remove((ask.Worker, engine.Engine));
            if (engine.SecondsPerEvaluation > 0)
                _secondsPerEvaluation[engine.Engine] = engine.SecondsPerEvaluation;
        }
        var order = _order ??= [.. _sweeps.Values.Where(s => !s.Entry.Paused).Order()];
        for (var i = 0; i < order.Length;)
        {
            var end = i;
            while (end < order.Length && order[end].Entry.Priority == order[i].Entry.Priority)
                end++;
            var equals = order.AsSpan(i, end - i);
            if (FindSuspects(ask, equals) is { } suspects)
            {
                if (ask.Held == 0)
                    return suspects;
                if (RunsEmptyFor(suspects.Stage, ask))
                    return null;
            }
            if ((Choose(ask, equals, cold: false) ?? Choose(ask, equals, cold: true)) is { } choice)
            {
                NeedNotRunEmpty(ask);
                return choice;
            }
            i = end;
        }
        return null;
    }

    /// <summary>The stage handed out so many rows.</summary>
    public void Took(Choice choice, int rows)
    {
        var work = choice.Stage.Offer.Work;
        choice.Stage.Failures = 0;
        AddReady(choice, choice.Reserved - rows);
        // A row without steps counts as one evaluation of an autoencoder.
        Charge(choice.SweepId, rows * (double)Math.Max(1, work.EvaluationsPerRow) * SecondsOf(work));
    }

    /// <summary>The stage has nothing for this worker. It is asked again when it says something new.</summary>
    public void FoundNothing(Choice choice, WorkAsk ask)
    {
        choice.Stage.Failures = 0;
        AddReady(choice, choice.Reserved);
        choice.Stage.EmptyFor.Add((ask.Worker, choice.SweepId));
        NeedNotRunEmpty(ask);
    }

    /// <summary>The stage did not answer: nobody waits for it for a while, each time for twice as long.</summary>
    /// <param name="reason">The error of the call.</param>
    /// <param name="ofStore">It says that a store is away.</param>
    public TimeSpan Failed(Choice choice, string reason = "", bool ofStore = false)
    {
        var stage = choice.Stage;
        (stage.Silence, stage.SilenceOfStore) = (reason, ofStore);
        AddReady(choice, choice.Reserved);
        stage.FailedAt = time.GetTimestamp();
        stage.Pause = stage.Failures++ == 0 ? s_firstPause : stage.Pause * 2 < s_longestPause ? stage.Pause * 2 : s_longestPause;
        return stage.Pause;
    }

    /// <summary>Stages whose model a worker cannot serve, and who have not heard of that yet.</summary>
    public IReadOnlyList<(string StageKey, string Reason)> Refuse(WorkAsk ask)
    {
        if (ask.Refused.IsEmpty)
            return [];
        var news = new List<(string, string)>();
        foreach (var stage in _stages.Values)
        {
            var refused = ask.Refused.FirstOrDefault(r => r.Means(stage.Offer.Work));
            if (refused.Reason is { } reason && stage.Refusals.GetValueOrDefault(ask.Worker) != reason)
                news.Add((stage.Offer.Work.Key, stage.Refusals[ask.Worker] = reason));
        }
        return news;
    }

    /// <summary>Workers that are gone are forgotten.</summary>
    public void ForgetWorkers(Func<string, bool> isAlive)
    {
        foreach (var key in _coldSince.Keys.Where(k => !isAlive(k.Worker)).ToList())
            _coldSince.Remove(key);
        if (_runsEmpty is { } one && !isAlive(one.Worker))
            _runsEmpty = null;
    }

    void NeedNotRunEmpty(WorkAsk ask) => _runsEmpty = _runsEmpty?.Worker == ask.Worker ? null : _runsEmpty;

    /// <summary>Suspect rows that this worker could take, if it held nothing.</summary>
    Choice? FindSuspects(WorkAsk ask, ReadOnlySpan<BoardSweep> equals)
    {
        if (_suspected.Count == 0)
            return null;
        foreach (var sweep in equals)
        {
            foreach (var key in _suspected)
            {
                var stage = _stages[key];
                if (stage.Of(sweep.Entry.SweepId) is { Suspect: > 0 } && HasRoom(ask, stage.Offer.Work) && MayAsk(ask, sweep, stage))
                    return new(stage, sweep.Entry.SweepId, Rows: 1, Reserved: 0, FreshRow: null);
            }
        }
        return null;
    }

    /// <summary>
    /// On a cluster that is never idle no worker would ever hold nothing. One takes no more until it does: one in the cluster, of those
    /// that the stage does not have wait.
    /// </summary>
    bool RunsEmptyFor(BoardStage stage, WorkAsk ask)
    {
        var key = stage.Offer.Work.Key;
        if (_runsEmpty is { } one && one.Worker != ask.Worker && time.GetElapsedTime(one.Since) < s_runsEmptyWithin
            && _suspected.Contains(one.StageKey))
            return false;
        if (_runsEmpty is not { } same || same.Worker != ask.Worker)
            _runsEmpty = new(ask.Worker, key, time.GetTimestamp());
        return true;
    }

    Choice? Choose(WorkAsk ask, ReadOnlySpan<BoardSweep> equals, bool cold)
    {
        foreach (var sweep in equals)
        {
            if (ask.Fresh is { } fresh && _readers.TryGetValue(fresh.StageKey, out var readers))
            {
                foreach (var reader in readers)
                {
                    if (reader.Ready.ContainsKey(sweep.Entry.SweepId) && Fits(ask, sweep, reader, cold, evenWhenNotReady: true))
                        return Reserve(ask, sweep, reader, fresh.Row);
                }
            }
            foreach (var (_, key) in sweep.Stages)
            {
                if (_stages.TryGetValue(key, out var stage) && Fits(ask, sweep, stage, cold, evenWhenNotReady: false))
                    return Reserve(ask, sweep, stage, ask.Fresh is { } f && stage.Offer.Inputs.Contains(f.StageKey) ? f.Row : null);
            }
        }
        return null;
    }

    bool Fits(WorkAsk ask, BoardSweep sweep, BoardStage stage, bool cold, bool evenWhenNotReady)
    {
        var work = stage.Offer.Work;
        return (evenWhenNotReady || stage.Ready.GetValueOrDefault(sweep.Entry.SweepId) > 0)
            && HasRoom(ask, work) && MustWait(ask, work) == cold && MayAsk(ask, sweep, stage);
    }

    static bool HasRoom(WorkAsk ask, StageWork work) => work.HasSteps ? ask.Rows > 0 : ask.AutoencoderParts > 0;

    bool MayAsk(WorkAsk ask, BoardSweep sweep, BoardStage stage) =>
        !stage.EmptyFor.Contains((ask.Worker, sweep.Entry.SweepId))
        && !(stage.Failures > 0 && time.GetElapsedTime(stage.FailedAt) < stage.Pause)
        && !(stage.PausedSince.TryGetValue(ask.Worker, out var pause) && time.GetElapsedTime(pause.At) < pause.Length)
        && !ask.Refused.Any(r => r.Means(stage.Offer.Work));

    Choice Reserve(WorkAsk ask, BoardSweep sweep, BoardStage stage, int? freshRow)
    {
        var rows = stage.Offer.Work.HasSteps ? ask.Rows : 1;
        var ready = stage.Ready.GetValueOrDefault(sweep.Entry.SweepId);
        var reserved = Math.Min(Math.Max(0, ready), rows);
        SetReady(stage, sweep.Entry.SweepId, ready - reserved);
        return new(stage, sweep.Entry.SweepId, rows, reserved, freshRow);
    }

    void AddReady(Choice choice, int rows) => SetReady(choice.Stage, choice.SweepId, choice.Stage.Ready[choice.SweepId] + rows);

    /// <summary>A sweep has those of its stages at hand that have something, so that the others cost a choice nothing.</summary>
    void SetReady(BoardStage stage, string sweepId, int rows)
    {
        stage.Ready[sweepId] = rows;
        var key = stage.Offer.Work.Key;
        if (!_sweeps.TryGetValue(sweepId, out var sweep) || _stages.GetValueOrDefault(key) != stage)
            return;
        var place = (-stage.Offer.Rows.First(r => r.SweepId == sweepId).Depth, key);
        if (rows > 0)
            sweep.Stages.Add(place);
        else
            sweep.Stages.Remove(place);
    }

    bool MustWait(WorkAsk ask, StageWork work)
    {
        if (work.Engine is not { } engine || ask.Loaded.Any(l => l.Engine == engine))
            return false;
        _coldSince.TryAdd((ask.Worker, engine), time.GetTimestamp());
        return time.GetElapsedTime(_coldSince[(ask.Worker, engine)]) < ask.SwitchAfter;
    }

    /// <summary>Devices' time of an evaluation: as it was measured for the engine, else as for those that were.</summary>
    double SecondsOf(StageWork work) =>
        work.Engine is { } engine && _secondsPerEvaluation.TryGetValue(engine, out var measured) ? measured
            : _secondsPerEvaluation.Count > 0 ? _secondsPerEvaluation.Values.Average() : 1;

    void Charge(string sweepId, double cost)
    {
        if (!_sweeps.TryGetValue(sweepId, out var sweep))
            return;
        sweep.Cost += cost;
        _order = null;
    }

    void Remove(BoardStage? stage)
    {
        if (stage is null)
            return;
        _stages.Remove(stage.Offer.Work.Key);
        _suspected.Remove(stage.Offer.Work.Key);
        foreach (var input in stage.Offer.Inputs)
        {
            if (_readers.TryGetValue(input, out var readers) && readers.Remove(stage) && readers.Count == 0)
                _readers.Remove(input);
        }
        foreach (var rows in stage.Offer.Rows)
        {
            if (_sweeps.TryGetValue(rows.SweepId, out var sweep))
                sweep.Stages.Remove((-rows.Depth, stage.Offer.Work.Key));
        }
    }

    /// <summary>A worker that takes nothing more until it holds nothing.</summary>
    sealed record RunsEmpty(string Worker, string StageKey, long Since);
}
