using System.Threading.Channels;
using Spectre.Console;
using Spectre.Console.Rendering;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Progress;

/// <summary>A table that is redrawn in place, on a terminal.</summary>
sealed class LiveProgress : IProgressView
{
    const int LongestBar = 40;
    const int ShortestBar = 8;

    /// <summary>The last things that happened, below the bar.</summary>
    const int MostNews = 3;

    /// <summary>A sweep says something every five seconds.</summary>
    static readonly TimeSpan s_silentAfter = TimeSpan.FromSeconds(12);

    readonly SweepPlan _plan;
    readonly IReadOnlyDictionary<string, string> _names;
    readonly TimeProvider _time;
    readonly Channel<SweepStatus> _statuses =
        Channel.CreateBounded<SweepStatus>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    readonly Task _drawing;
    readonly IAnsiConsole _console;
    readonly NewsTail _tail;
    readonly Queue<string> _news = [];
    readonly ITimer _watching;
    volatile string? _note;
    volatile WaitKnowledge _known = WaitKnowledge.None;
    SweepStatus? _last;
    long _lastAt;

    public LiveProgress(Terminal terminal, SweepPlan plan)
    {
        (_plan, _time, _tail) = (plan, terminal.Time, new(terminal.Time));
        _names = StageNames.Of(plan);
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Screen) });
        _drawing = _console.Live(new Text("starting ...")).StartAsync(DrawAsync);
        // Only to say that nothing is heard any more: the picture is that of the last status.
        _watching = _time.CreateTimer(
            _ =>
            {
                if (_last is { } status && IsSilent)
                    _statuses.Writer.TryWrite(status);
            },
            null, s_silentAfter, TimeSpan.FromSeconds(1));
    }

    public void Show(SweepStatus status, WaitKnowledge? known = null)
    {
        _known = known ?? _known;
        (_last, _lastAt) = (status, _time.GetTimestamp());
        _statuses.Writer.TryWrite(status);
    }

    public void Say(string line)
    {
        _note = line;
        if (_last is { } status)
            _statuses.Writer.TryWrite(status);
    }

    public async ValueTask DisposeAsync()
    {
        await _watching.DisposeAsync();
        _statuses.Writer.TryComplete();
        await _drawing;
    }

    bool IsSilent => _last is { } status && status.State.IsLive() && _time.GetElapsedTime(_lastAt) > s_silentAfter;

    async Task DrawAsync(LiveDisplayContext context)
    {
        await foreach (var status in _statuses.Reader.ReadAllAsync())
        {
            foreach (var entry in _tail.Take(status))
                _news.Enqueue($"{entry.At.LocalDateTime:HH:mm:ss} {LogText.Of(entry)}");
            while (_news.Count > MostNews)
                _news.Dequeue();
            context.UpdateTarget(Picture(status));
            context.Refresh();
        }
    }

    Rows Picture(SweepStatus status)
    {
        var isSilent = IsSilent;
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("stage")
            .AddColumn(new TableColumn("rows").RightAligned())
            .AddColumn(new TableColumn("reused").RightAligned())
            .AddColumn(new TableColumn("evaluations").RightAligned())
            .AddColumn("");
        foreach (var line in StageLine.Of(status, _names))
            table.AddRow(Markup.Escape(Printable.Line(line.Name)), line.Rows, line.Reused, line.Evaluations, Colored(line, isSilent));
        var figures = isSilent
            ? $"{ProgressText.Percent(status.EvaluationsDone, status.EvaluationsPlanned)} · no silo answers for "
                + Quantities.Duration(_time.GetElapsedTime(_lastAt))
            : ProgressText.Of(status);
        // What is left of the line.
        var width = Math.Clamp(_console.Profile.Width - _plan.Name.Length - figures.Length - 3, ShortestBar, LongestBar);
        var filled = (int)Math.Round(status.Fraction * width);
        var bar = $"[green]{new string('━', filled)}[/][grey]{new string('━', width - filled)}[/]";
        IRenderable[] lines =
        [
            table,
            new Markup($"{Markup.Escape(Printable.Line(_plan.Name))} {bar} {Markup.Escape(figures)}"),
            .. WaitLines.Of(_plan, status, _names, _known).Take(MostNews).Select(Plain),
            .. _news.Select(Plain),
            .. _note is { } note ? (IRenderable[])[Plain(note)] : [],
        ];
        return new Rows(lines);
    }

    /// <summary>Names of files and silos may be in it, and what a terminal obeys in them.</summary>
    static IRenderable Plain(string line) => new Text(Printable.Line(line));

    /// <param name="isSilent">Nobody has said so for a while.</param>
    static string Colored(StageLine line, bool isSilent)
    {
        var text = Markup.Escape(line.State);
        return line.Standing switch
        {
            StageStanding.Running when isSilent => $"[grey]was {text}[/]",
            StageStanding.Done => $"[green]{text}[/]",
            StageStanding.Waiting => $"[grey]{text}[/]",
            StageStanding.Failed or StageStanding.Silent => $"[red]{text}[/]",
            _ when line.State.Contains("failed", StringComparison.Ordinal) => $"[red]{text}[/]",
            _ => text,
        };
    }
}
