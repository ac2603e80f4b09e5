using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Progress;

/// <summary>A line of the table of stages: one stage, or those of a kind where there are many.</summary>
/// <param name="Rows">Done and wanted ones.</param>
/// <param name="Reused">Rows that were there before; empty for none.</param>
/// <param name="Evaluations">Done and planned ones.</param>
/// <param name="State">How it stands.</param>
/// <param name="Standing">How all of them stand; null where they differ.</param>
sealed record StageLine(string Name, string Rows, string Reused, string Evaluations, string State, StageStanding? Standing)
{
    /// <summary>More stages than fit a screen are shown by kind.</summary>
    public const int MostStages = 18;

    /// <param name="names">Names of stages by key.</param>
    /// <param name="all">A line a stage, however many there are.</param>
    public static IReadOnlyList<StageLine> Of(SweepStatus status, IReadOnlyDictionary<string, string> names, bool all = false) =>
        all || status.Stages.Length <= MostStages
            ? [.. status.Stages.Select(s => Of([s], names.GetValueOrDefault(s.Key, StageNames.Of(s.Kind))))]
            : [.. status.Stages.GroupBy(s => s.Kind).Select(g => Of([.. g], $"{StageNames.Of(g.Key)} ({g.Count()} stages)"))];

    static StageLine Of(IReadOnlyList<StageStatus> stages, string name)
    {
        var reused = stages.Sum(s => (long)s.RowsReused);
        var failed = stages.Sum(s => (long)s.RowsFailed);
        var standings = stages.Select(StageText.Standing).Distinct().ToList();
        return new(
            name,
            $"{stages.Sum(s => (long)s.RowsDone)}/{stages.Sum(s => (long)s.RowsWanted)}",
            reused == 0 ? "" : Quantities.Count(reused),
            $"{Quantities.Count(stages.Sum(s => s.EvaluationsDone))}/{Quantities.Count(stages.Sum(s => s.EvaluationsPlanned))}",
            StateOf(stages, failed),
            standings is [var one] ? one : null);
    }

    static string StateOf(IReadOnlyList<StageStatus> stages, long failed)
    {
        var words = StageText.Words(stages);
        var lost = failed == 1 ? "1 row failed" : $"{Quantities.Count(failed)} rows failed";
        return failed == 0 ? words : words == StageText.Word(StageStanding.Failed) ? lost : $"{words}, {lost}";
    }
}
