using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Waits;
using Taba.Grains.Words;

namespace Taba.Client.Progress;

/// <summary>Sweeps as JSON.</summary>
static class SweepJson
{
    /// <summary>A sweep in the list.</summary>
    public static object Of(SweepEntry s) => new
    {
        id = s.SweepId,
        name = s.Name,
        state = SweepText.Word(s),
        priority = s.Priority,
        user = s.User,
        submitted_at = s.SubmittedAt,
        ended_at = s.EndedAt,
        evaluations_done = s.Progress?.EvaluationsDone,
        evaluations_planned = s.Progress?.EvaluationsPlanned,
        evaluations_per_second = s.Progress?.Rate,
        seconds_left = s.Progress?.Left?.TotalSeconds,
        failed = s.Progress?.RowsFailed,
        recovered = s.Progress?.Recovered,
    };

    /// <param name="waits">Why stages wait, by key.</param>
    /// <param name="runs">The numbers of run folders.</param>
    public static object Of(
        SweepPlan plan, SweepStatus status, IReadOnlyDictionary<string, StageWait> waits, IEnumerable<RunNumbers>? runs = null)
    {
        var specs = plan.Stages.ToDictionary(s => s.Key, s => s.Spec);
        var names = StageNames.Of(plan);
        return new
        {
            id = status.SweepId,
            name = plan.Name,
            state = SweepText.Word(status.State),
            priority = plan.Priority,
            user = status.User,
            submitted_at = status.SubmittedAt,
            ended_at = status.EndedAt,
            evaluations_done = status.EvaluationsDone,
            evaluations_planned = status.EvaluationsPlanned,
            evaluations_per_second = status.Rate,
            seconds_left = status.Left?.TotalSeconds,
            recovered = status.Recovered,
            fault = status.Fault,
            refusals = status.Refusals.Select(r => new { silo = r.Silo, reason = r.Reason }),
            stages = status.Stages.Select(s => Stage(s, names.GetValueOrDefault(s.Key), specs, waits.GetValueOrDefault(s.Key))),
            failures = status.Failures.Select(
                f => new { stage = f.StageKey, sample = f.Sample, step = f.Step, kind = JsonCodes.Of(f.Kind), reason = f.Reason }),
            failed = FailureJson.Of(status, key => key),
            pauses = status.Pauses.Select(p => new
            {
                host = p.Host,
                reason = p.Reason,
                failures = p.Failures,
                seconds_left = p.Remaining == TimeSpan.MaxValue ? (double?)null : Math.Ceiling(p.Remaining.TotalSeconds),
            }),
            runs = runs?.Select(r => new { run = r.Run, metrics = r.Numbers.ToDictionary(n => n.Name, n => n.Value) }),
        };
    }

    static object Stage(StageStatus s, string? name, IReadOnlyDictionary<string, StageSpec> specs, StageWait? wait)
    {
        var spec = specs.GetValueOrDefault(s.Key);
        var (before, seed) = spec is null ? (null, null) : StageNames.Numbers(spec, specs);
        return new
        {
            key = s.Key,
            stage = StageNames.Of(s.Kind),
            name,
            num_inference_steps = spec is { HasSteps: true } ? spec.NumInferenceSteps : (int?)null,
            before,
            seed,
            state = StageText.Word(StageText.Standing(s)),
            rows = s.RowsWanted,
            done = s.RowsDone,
            reused = s.RowsReused,
            failed = s.RowsFailed,
            parts_out = s.PartsLeased,
            parts_lost = s.PartsLost,
            evaluations_done = s.EvaluationsDone,
            evaluations_planned = s.EvaluationsPlanned,
            silent = s.Silence,
            waits = wait is null ? null : new { kind = JsonCodes.Of(wait.Kind), text = wait.Text },
        };
    }
}
