using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Sweeps as the JSON has them.</summary>
static class SweepJson
{
    public static SweepEntryView Of(SweepEntry s) => new(
        s.SweepId, s.Name, SweepText.Word(s), s.Priority, s.User, s.SubmittedAt, s.EndedAt, s.Progress?.EvaluationsDone,
        s.Progress?.EvaluationsPlanned, s.Progress?.RowsFailed, Rounded(s.Progress?.Rate), Seconds(s.Progress?.Left),
        s.Progress?.Recovered);

    public static SweepView Of(SweepPlan plan, SweepStatus status) => new(
        status.SweepId, plan.Name, SweepText.Word(status.State), plan.Priority, status.User, status.SubmittedAt, status.EndedAt,
        status.Version, status.EvaluationsDone, status.EvaluationsPlanned, Rounded(status.Rate), Seconds(status.Left), status.Recovered,
        status.Stages.Sum(s => (long)s.RowsWanted), status.Stages.Sum(s => (long)s.RowsDone), status.Stages.Sum(s => (long)s.RowsReused),
        status.SamplesFailed, status.Stages.Sum(s => (long)s.RowsLeased), status.Stages.Sum(s => s.PartsLeased), status.Stages.Length,
        plan.Runs.Length, [.. SweepText.Troubles(status)], status.Fault);

    public static EventView Of(SweepLogEntry entry) => new(entry.At, LogText.Word(entry.Kind), LogText.Of(entry), entry.By);

    /// <summary>Whole seconds: what changes less is no news.</summary>
    static double? Seconds(TimeSpan? left) => left is { } some ? Math.Ceiling(some.TotalSeconds) : null;

    static double? Rounded(double? rate) => rate is { } known ? Math.Round(known, 1) : null;
}
