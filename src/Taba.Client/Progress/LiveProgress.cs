using System.Threading.Channels;
using Spectre.Console;
using Spectre.Console.Rendering;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>A table that is redrawn in place, on a terminal.</summary>
sealed class LiveProgress : IProgressView
{
    const int BarWidth = 40;

    /// <summary>More stages than fit a screen are shown by kind.</summary>
    const int MostRows = 18;

    readonly SweepPlan _plan;
    readonly IReadOnlyDictionary<string, string> _names;
    readonly Channel<ProgressReading> _readings =
        Channel.CreateBounded<ProgressReading>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
    readonly Task _drawing;
    readonly IAnsiConsole _console;
    volatile string? _note;
    ProgressReading? _last;

    public LiveProgress(Terminal terminal, SweepPlan plan)
    {
        _plan = plan;
        _names = StageNames.Of(plan);
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Error) });
        _drawing = _console.Live(new Text("starting ...")).StartAsync(DrawAsync);
    }

    public void Show(ProgressReading reading)
    {
        _last = reading;
        _readings.Writer.TryWrite(reading);
    }

    public void Say(string line)
    {
        _note = line;
        if (_last is { } reading)
            _readings.Writer.TryWrite(reading);
    }

    public async ValueTask DisposeAsync()
    {
        _readings.Writer.TryComplete();
        await _drawing;
    }

    async Task DrawAsync(LiveDisplayContext context)
    {
        await foreach (var reading in _readings.Reader.ReadAllAsync())
        {
            context.UpdateTarget(Picture(reading));
            context.Refresh();
        }
    }

    Rows Picture(ProgressReading reading)
    {
        var status = reading.Status;
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("stage")
            .AddColumn(new TableColumn("rows").RightAligned())
            .AddColumn(new TableColumn("reused").RightAligned())
            .AddColumn(new TableColumn("evaluations").RightAligned())
            .AddColumn("");
        if (status.Stages.Length <= MostRows)
        {
            foreach (var stage in status.Stages)
                table.AddRow(Cells([stage], _names.GetValueOrDefault(stage.Key, StageNames.Of(stage.Kind))));
        }
        else
        {
            foreach (var kind in status.Stages.GroupBy(s => s.Kind))
                table.AddRow(Cells([.. kind], $"{StageNames.Of(kind.Key)} ({kind.Count()} stages)"));
        }
        var filled = (int)Math.Round(reading.Fraction * BarWidth);
        var bar = $"[green]{new string('━', filled)}[/][grey]{new string('━', BarWidth - filled)}[/]";
        IRenderable[] lines =
        [
            table,
            new Markup(
                $"{Markup.Escape(_plan.Name)} {bar} {100 * reading.Fraction:0} %  {Quantities.Count(status.EvaluationsDone)} of "
                + $"{Quantities.Count(status.EvaluationsPlanned)} evaluations  {Quantities.Rate(reading.Rate)}  "
                    + $"{Quantities.Left(reading.Left)}"),
            .. _note is { } note ? (IRenderable[])[new Text(note)] : [],
        ];
        return new Rows(lines);
    }

    static string[] Cells(IReadOnlyList<StageStatus> stages, string name)
    {
        var (done, wanted, reused, failed) = (
            stages.Sum(s => (long)s.RowsDone), stages.Sum(s => (long)s.RowsWanted), stages.Sum(s => (long)s.RowsReused),
            stages.Sum(s => (long)s.RowsFailed));
        return
        [
            Markup.Escape(name),
            $"{done}/{wanted}",
            reused == 0 ? "" : $"{reused}",
            $"{Quantities.Count(stages.Sum(s => s.EvaluationsDone))}/{Quantities.Count(stages.Sum(s => s.EvaluationsPlanned))}",
            failed > 0 ? $"[red]{failed} failed[/]"
                : done == wanted ? "[green]done[/]"
                : stages.Any(s => s.PartsLeased > 0) ? "running" : "[grey]waiting[/]",
        ];
    }
}
