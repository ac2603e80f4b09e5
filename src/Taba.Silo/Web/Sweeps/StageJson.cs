using System.Collections.Immutable;
using System.Text.Json;
using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Waits;
using Taba.Grains.Words;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Stages and their parts as the JSON has them.</summary>
static class StageJson
{
    /// <summary>Hosts that wait, and silos that refuse: as many as somebody reads. A cluster may have a thousand.</summary>
    const int MostHosts = 16;

    public static StageView Of(StageStatus s, PlanNames plan, WaitFacts facts, ImmutableArray<StripBin> strip)
    {
        var spec = plan.Stage(s.Key)?.Spec;
        return new(
            s.Key, plan.Name(s.Key), StageNames.Of(s.Kind), spec?.Model.Name, spec?.NumInferenceSteps ?? 0, s.RowsWanted, s.RowsDone,
            s.RowsReused, s.RowsFailed, s.RowsLeased, s.RowsReady, s.PartsLeased, s.EvaluationsPlanned, s.EvaluationsDone,
            StageText.Word(StageText.Standing(s)),
            Waiting.Of(s, facts) is { } wait ? new(JsonName(wait.Kind), wait.Text) : null,
            [.. s.Pauses.Take(MostHosts).Select(Of)], [.. s.Refusals.Take(MostHosts).Select(r => new RefusalView(r.Silo, r.Reason))],
            Of(strip));
    }

    public static PartsView Of(StageParts parts) => new(
        [parts.Rows.Start, parts.Rows.End], Of(parts.Strip), parts.LeasesTotal,
        [
            .. parts.Leases.Select(l => new PartView(
                [l.Rows.Start, l.Rows.End], l.Host, l.Worker, Seconds(l.Age), Seconds(l.SinceAdvance), Math.Round(l.Evaluations, 1),
                l.EvaluationsPlanned, l.Alone)),
        ]);

    static PauseView Of(HostPause pause) => new(
        pause.Host, pause.Reason, pause.Failures,
        pause.Remaining == TimeSpan.MaxValue ? null : Math.Max(0, Math.Ceiling(pause.Remaining.TotalSeconds)));

    static int[][] Of(ImmutableArray<StripBin> strip) => [.. strip.Select(b => (int[])[b.Wanted, b.Done, b.Running, b.Failed])];

    static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 1);

    static string JsonName(WaitKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());
}
