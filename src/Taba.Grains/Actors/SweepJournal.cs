using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Grains.Actors;

/// <summary>
/// What a sweep tells people beyond its stages' numbers: rate, time left and log. It goes into the state with
/// whatever is written next, at the latest when the sweep lists itself again: who reads it meanwhile gets it from here. In one grain's
/// turns only.
/// </summary>
sealed class SweepJournal(TimeProvider time)
{
    readonly Dictionary<string, StageStatus> _looked = [];
    ProgressMeter _meter = new(time);
    ImmutableArray<SweepLogEntry> _pending = [];
    ImmutableArray<SweepLogEntry> _writing = [];
    ImmutableArray<StageSeen> _seen = [];
    IReadOnlyDictionary<string, string> _names = new Dictionary<string, string>();
    SweepPlan? _named;
    int _submission;

    /// <summary>Begins with what is written.</summary>
    public void Open(SweepGrainState written)
    {
        (_pending, _writing) = ([], []);
        (_seen, _submission) = (written.Seen, written.Submission);
        _meter = new(time, written.Rate);
        _looked.Clear();
    }

    /// <summary>The log, with what is not written yet.</summary>
    public ImmutableArray<SweepLogEntry> Log(SweepGrainState written) => written.Log.With(_writing).With(_pending);

    /// <summary>Takes in how the stages stand.</summary>
    /// <returns>The snapshot, with what is known here.</returns>
    public SweepStatus Observe(SweepStatus status, SweepGrainState written)
    {
        // What failed before is tried again, and is news when it fails again.
        if (written.Submission != _submission)
            (_submission, _seen) = (written.Submission, []);
        if (!ReferenceEquals(_named, written.Plan))
            Name(written.Plan!);
        var changed = status.Stages.Where(s => !ReferenceEquals(_looked.GetValueOrDefault(s.Key), s)).ToList();
        foreach (var stage in changed)
            _looked[stage.Key] = stage;
        var news = SweepNews.Of(
            changed, _seen, key => _names.GetValueOrDefault(key, key), written.SubmittedAt ?? DateTimeOffset.MinValue, time.GetUtcNow());
        (_seen, _pending) = (news.Seen, _pending.With(news.Entries));
        // Nobody computes what is given up.
        var givenUp = written.Plan!.Stages.Zip(status.Stages).Sum(s => (double)s.Second.RowsFailed * s.First.Spec.EvaluationsPerRow);
        _meter.Observe(
            status.EvaluationsDone, status.EvaluationsPlanned - givenUp,
            runs: status.State is SweepState.Running && status.Stages.All(s => s.Silence is null));
        return Told(status, written) with { Rate = _meter.Rate, Left = _meter.Left };
    }

    void Name(SweepPlan plan)
    {
        (_named, _names) = (plan, StageNames.Of(plan));
        if (_meter.Known is null && plan.ExpectedRate is > 0 and < double.PositiveInfinity and var expected)
            _meter = new(time, expected);
    }

    /// <summary>A snapshot with what is known of the sweep itself.</summary>
    public SweepStatus Told(SweepStatus status, SweepGrainState written) => status with
    {
        SubmittedAt = written.SubmittedAt,
        User = written.User,
        News = [.. Log(written).TakeLast(SweepStatus.MostNews)],
    };

    /// <summary>A state as it is to be written, with all that happened.</summary>
    public SweepGrainState In(SweepGrainState state)
    {
        if (state.Plan is null)
            return state;
        (_writing, _pending) = (_pending, []);
        // What was seen is of the submission that was looked at.
        var seen = state.Submission == _submission ? _seen : state.Seen;
        return state with { Log = state.Log.With(_writing), Seen = seen, Rate = _meter.Known };
    }

    /// <summary>What <see cref="In"/> gave was written, or could not be.</summary>
    public void Wrote(bool succeeded)
    {
        if (!succeeded)
            _pending = _writing.With(_pending);
        _writing = [];
    }
}
