using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Sweeps and stages as the JSON has them.</summary>
static class SweepTexts
{
    public static SweepEntryView Entry(SweepEntry s) => new(
        s.SweepId, s.Name, Word(s.Ended ?? (s.Paused ? SweepState.Paused : SweepState.Running)), s.Priority, s.SubmittedAt, s.EndedAt);

    public static SweepView View(SweepPlan plan, SweepStatus status) => new(
        status.SweepId, plan.Name, Word(status.State), status.Version, status.Fault, status.Stages.Length,
        status.Stages.Sum(s => (long)s.RowsWanted), status.Stages.Sum(s => (long)s.RowsDone), status.Stages.Sum(s => (long)s.RowsReused),
        status.Stages.Sum(s => (long)s.RowsFailed), status.Stages.Sum(s => (long)s.RowsLeased), status.Stages.Sum(s => s.PartsLeased),
        status.Stages.Sum(s => s.EvaluationsPlanned), status.Stages.Sum(s => s.EvaluationsDone));

    public static PageView<StageView> Page(SweepPlan plan, SweepStatus status, int from, int count)
    {
        var models = plan.Stages.ToDictionary(s => s.Key, s => s.Spec.Model.Name);
        return new(
            status.Stages.Length, from, [.. status.Stages.Skip(from).Take(count).Select(s => View(s, models.GetValueOrDefault(s.Key)))]);
    }

    static StageView View(StageStatus s, string? model) => new(
        s.Key, s.Kind.ToString().ToLowerInvariant(), model, s.RowsWanted, s.RowsDone, s.RowsReused, s.RowsFailed, s.RowsLeased,
        s.PartsLeased,
        s.EvaluationsPlanned, s.EvaluationsDone, s.Fault, [.. s.Refusals.Select(r => $"{r.Silo}: {r.Reason}")]);

    static string Word(SweepState state) => state switch
    {
        SweepState.CompletedWithFailures => "completed with failures",
        _ => state.ToString().ToLowerInvariant(),
    };
}
