using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>Plain lines every few seconds, for logs and pipes.</summary>
sealed class LineProgress(Terminal terminal, SweepPlan plan) : IProgressView
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(5);

    long? _last;
    string? _shown;

    public void Show(ProgressReading reading)
    {
        var ended = !reading.Status.State.IsLive();
        if (!ended && _last is { } last && terminal.Time.GetElapsedTime(last) < s_every)
            return;
        if (_last is null && Reused(reading.Status) is { } reused)
            terminal.Error.WriteLine(reused);
        var line = Line(reading);
        if (line == _shown)
            return;
        _shown = line;
        _last = terminal.Time.GetTimestamp();
        terminal.Error.WriteLine(line);
    }

    public void Say(string line) => terminal.Error.WriteLine(line);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    string Line(ProgressReading reading)
    {
        var status = reading.Status;
        var stages = status.Stages.GroupBy(s => s.Kind)
            .Select(g => $"{StageNames.Of(g.Key)} {g.Sum(s => (long)s.RowsDone)}/{g.Sum(s => (long)s.RowsWanted)}");
        var paused = status.State == SweepState.Paused ? "paused at " : "";
        return $"{plan.Name}: {paused}{100 * reading.Fraction:0} % · {Quantities.Count(status.EvaluationsDone)} of "
            + $"{Quantities.Count(status.EvaluationsPlanned)} evaluations · {Quantities.Rate(reading.Rate)} · "
            + $"{Quantities.Left(reading.Left)} · {string.Join(", ", stages)}";
    }

    static string? Reused(SweepStatus status)
    {
        var rows = status.Stages.Sum(s => (long)s.RowsReused);
        return rows == 0
            ? null
            : $"Reused from the store: {Quantities.Count(rows)} rows of {status.Stages.Count(s => s.RowsReused > 0)} stages.";
    }
}
