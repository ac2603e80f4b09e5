using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>
/// Measures a sweep's progress, rate and time left. The rate is taken over a sliding window, so that a slow start or a pause does
/// not stay in it. The time left is unknown until something was measured.
/// </summary>
sealed class ProgressMeter(TimeProvider time)
{
    static readonly TimeSpan s_window = TimeSpan.FromSeconds(30);

    /// <summary>Less than this says nothing about a rate.</summary>
    static readonly TimeSpan s_shortestSpan = TimeSpan.FromSeconds(1);

    readonly Queue<(long At, double Done)> _points = [];
    readonly long _start = time.GetTimestamp();

    /// <summary>Takes in a snapshot.</summary>
    public ProgressReading Observe(SweepStatus status)
    {
        var now = time.GetTimestamp();
        _points.Enqueue((now, status.EvaluationsDone));
        // The oldest point that is kept lies just outside the window, so that a sparse stream of snapshots still spans it.
        while (_points.Count > 2 && time.GetElapsedTime(_points.ElementAt(1).At, now) >= s_window)
            _points.Dequeue();
        var (at, done) = _points.Peek();
        var span = time.GetElapsedTime(at, now);
        // Done can fall when a lease is lost and its steps are made again.
        double? rate = span >= s_shortestSpan && status.EvaluationsDone > done ? (status.EvaluationsDone - done) / span.TotalSeconds : null;
        var left = status.EvaluationsPlanned - status.EvaluationsDone;
        return new ProgressReading(
            status, rate, left <= 0 ? TimeSpan.Zero : Left(left, rate), time.GetElapsedTime(_start, now));
    }

    static TimeSpan? Left(double evaluations, double? rate) =>
        rate is { } r && evaluations / r < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(evaluations / r) : null;
}

/// <summary>A snapshot with its rate.</summary>
/// <param name="Rate">Evaluations a second; null while unknown.</param>
/// <param name="Left">Time left; null while unknown.</param>
/// <param name="Elapsed">Since the meter began.</param>
sealed record ProgressReading(SweepStatus Status, double? Rate, TimeSpan? Left, TimeSpan Elapsed)
{
    /// <summary>Done evaluations over planned ones, 0 .. 1; a sweep without work left is done.</summary>
    public double Fraction =>
        Status.EvaluationsPlanned <= 0 ? 1 : Math.Clamp(Status.EvaluationsDone / Status.EvaluationsPlanned, 0, 1);
}
