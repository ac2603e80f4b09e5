using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Progress;

/// <summary>Plain lines every few seconds, for logs and pipes.</summary>
sealed class LineProgress(Terminal terminal, SweepPlan plan) : IProgressView
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(5);

    readonly NewsTail _news = new(terminal.Time);
    long? _last;
    string? _shown;

    public void Show(SweepStatus status, WaitKnowledge? known = null)
    {
        foreach (var trouble in _last is null ? SweepText.Troubles(status) : [])
            terminal.Error.WriteLine($"{plan.Name}: {trouble}");
        foreach (var entry in _news.Take(status))
            terminal.Error.WriteLine($"{plan.Name}: {LogText.Of(entry)}");
        var ended = !status.State.IsLive();
        if (!ended && _last is { } last && terminal.Time.GetElapsedTime(last) < s_every)
            return;
        if (_last is null && Reused(status) is { } reused)
            terminal.Error.WriteLine(reused);
        var line = Line(status);
        if (line == _shown)
            return;
        _shown = line;
        _last = terminal.Time.GetTimestamp();
        terminal.Error.WriteLine(line);
    }

    public void Say(string line) => terminal.Error.WriteLine(line);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    string Line(SweepStatus status)
    {
        var stages = status.Stages.GroupBy(s => s.Kind)
            .Select(g => $"{StageNames.Of(g.Key)} {g.Sum(s => (long)s.RowsDone)}/{g.Sum(s => (long)s.RowsWanted)}");
        return $"{plan.Name}: {ProgressText.Of(status)} · {string.Join(", ", stages)}";
    }

    static string? Reused(SweepStatus status)
    {
        var rows = status.Stages.Sum(s => (long)s.RowsReused);
        return rows == 0
            ? null
            : $"Reused from the store: {Quantities.Count(rows)} rows of {status.Stages.Count(s => s.RowsReused > 0)} stages.";
    }
}
