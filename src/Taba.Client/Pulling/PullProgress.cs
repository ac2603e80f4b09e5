using Taba.Grains.Words;
using System.Text.Json;
using Taba.Diffusion.Weights.Hub;

namespace Taba.Client.Pulling;

/// <summary>Shows how a download goes on: one line that is redrawn on a terminal, else a line every few seconds.</summary>
/// <param name="terminal">Standard error is where it goes.</param>
/// <param name="name">What is downloaded.</param>
/// <param name="json">An object a line instead.</param>
sealed class PullProgress(Terminal terminal, string name, bool json) : IProgress<HubProgress>
{
    static readonly TimeSpan s_window = TimeSpan.FromSeconds(30);

    readonly Queue<(long At, long Done)> _points = [];
    readonly TimeSpan _every = terminal.ErrorIsLive && !json ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(5);
    long? _last;

    public void Report(HubProgress value)
    {
        var now = terminal.Time.GetTimestamp();
        var ended = value.Done == value.Total;
        if (!ended && _last is { } last && terminal.Time.GetElapsedTime(last, now) < _every)
            return;
        _last = now;
        var rate = Rate(now, value.Done);
        if (json)
            terminal.Error.WriteLine(JsonSerializer.Serialize(Fields(value, rate)));
        else if (terminal.ErrorIsLive)
            terminal.Screen.Write($"\r{Printable.Line(Line(value, rate))}\u001b[K{(ended ? "\n" : "")}");
        else
            terminal.Error.WriteLine(Line(value, rate));
    }

    /// <summary>One line about what happens now.</summary>
    public void Say(string line)
    {
        if (json)
            terminal.Error.WriteLine(JsonSerializer.Serialize(new { @event = "note", name, message = line }));
        else
        {
            if (terminal.ErrorIsLive)
                terminal.Screen.Write("\r\u001b[K");
            terminal.Error.WriteLine(line);
        }
    }

    /// <summary>Bytes a second over the last half minute; null until something was measured.</summary>
    double? Rate(long now, long done)
    {
        _points.Enqueue((now, done));
        while (_points.Count > 2 && terminal.Time.GetElapsedTime(_points.ElementAt(1).At, now) >= s_window)
            _points.Dequeue();
        var (at, before) = _points.Peek();
        var seconds = terminal.Time.GetElapsedTime(at, now).TotalSeconds;
        return seconds > 0 && done > before ? (done - before) / seconds : null;
    }

    string Line(HubProgress value, double? rate)
    {
        var done = value.Total is { } total
            ? $"{100.0 * value.Done / Math.Max(1, total):0} % · {Quantities.Bytes(value.Done)} of {Quantities.Bytes(total)}"
            : Quantities.Bytes(value.Done);
        var speed = rate is { } r ? $" · {Quantities.Bytes(r)}/s" : "";
        var time = Left(value, rate) is { } left ? $" · {Quantities.Left(left)}" : "";
        return $"{name}: {done}{speed}{time} · {value.File}";
    }

    object Fields(HubProgress value, double? rate) => new
    {
        @event = "progress",
        name,
        file = value.File,
        bytes_done = value.Done,
        bytes = value.Total,
        bytes_per_second = rate,
        seconds_left = Left(value, rate)?.TotalSeconds,
    };

    static TimeSpan? Left(HubProgress value, double? rate) =>
        value.Total is { } total && rate is { } r && (total - value.Done) / r < TimeSpan.MaxValue.TotalSeconds / 2
        ? TimeSpan.FromSeconds((total - value.Done) / r)
        : null;
}
