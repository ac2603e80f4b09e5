namespace Taba.Grains.Sweeps;

/// <summary>
/// Measures a sweep's rate and time left. The rate is taken over a sliding window of time in which work could be done: pauses are left out
/// of it, and so is the time from the last step to the moment when it shows that steps were lost. One thread at a time.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="rate">What an earlier meter measured, in evaluations a second: this one begins with it. Null begins with nothing.</param>
public sealed class ProgressMeter(TimeProvider time, double? rate = null)
{
    static readonly TimeSpan s_window = TimeSpan.FromSeconds(30);

    /// <summary>Less than this says nothing about a rate.</summary>
    static readonly TimeSpan s_shortestSpan = TimeSpan.FromSeconds(1);

    static readonly TimeSpan s_pointsApart = TimeSpan.FromSeconds(0.25);

    readonly List<(TimeSpan At, double Done)> _points = [];
    long? _seenAt;
    bool _ran;
    TimeSpan _clock;
    TimeSpan _advancedAt;
    double _done;

    /// <summary>Evaluations a second; null while unknown.</summary>
    public double? Rate { get; private set; } = rate;

    /// <summary>The last rate that was known, for a meter that goes on from here.</summary>
    public double? Known { get; private set; } = rate;

    /// <summary>Time left; null while unknown.</summary>
    public TimeSpan? Left { get; private set; }

    /// <summary>Takes in how far the sweep is.</summary>
    /// <param name="done">Evaluations that are done: fewer than before where some were lost.</param>
    /// <param name="planned">All evaluations.</param>
    /// <param name="runs">Whether work can be done from now on. The time until somebody says so is not counted.</param>
    public void Observe(double done, double planned, bool runs)
    {
        var now = time.GetTimestamp();
        if (_ran && _seenAt is { } before)
            _clock += time.GetElapsedTime(before, now);
        (_seenAt, _ran) = (now, runs);
        if (_points.Count == 0)
            Begin(done);
        else if (done < _done)
            Lost(_done - done);
        else if (done > _done)
            _advancedAt = _clock;
        _done = done;
        if (_clock - _points[^1].At >= s_pointsApart)
            _points.Add((_clock, done));
        // The oldest point that is kept lies just outside the window, so that a sparse stream of snapshots still spans it.
        while (_points.Count > 2 && _clock - _points[1].At >= s_window)
            _points.RemoveAt(0);
        var (at, then) = _points[0];
        var measured = _clock - at >= s_shortestSpan && done > then ? (done - then) / (_clock - at).TotalSeconds : (double?)null;
        Known = measured ?? Known;
        Rate = runs ? measured : null;
        Left = planned - done <= 0 ? TimeSpan.Zero : Rate is { } r ? TimeOf((planned - done) / r) : null;
    }

    void Begin(double done)
    {
        if (Known is { } known)
            _points.Add((-s_window, done - known * s_window.TotalSeconds));
        _points.Add((TimeSpan.Zero, done));
    }

    /// <summary>
    /// What was measured before holds as it was: as if the lost steps had never been made, nor the time spent without steps.
    /// </summary>
    void Lost(double evaluations)
    {
        _clock = _advancedAt;
        for (var i = 0; i < _points.Count; i++)
            _points[i] = (_points[i].At < _clock ? _points[i].At : _clock, _points[i].Done - evaluations);
    }

    static TimeSpan? TimeOf(double seconds) =>
        seconds < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : null;
}
