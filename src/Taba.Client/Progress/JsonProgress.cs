using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Progress;

/// <summary>A JSON object a line on standard error.</summary>
sealed class JsonProgress(Terminal terminal, SweepPlan plan) : IProgressView
{
    readonly long _began = terminal.Time.GetTimestamp();
    readonly NewsTail _news = new(terminal.Time);
    readonly IReadOnlyDictionary<string, string> _names = StageNames.Of(plan);
    readonly Dictionary<string, StageSpec> _specs = plan.Stages.ToDictionary(s => s.Key, s => s.Spec);

    public void Show(SweepStatus status, WaitKnowledge? known = null)
    {
        var waits = WaitLines.ByStage(plan, status, _names, known ?? WaitKnowledge.None);
        foreach (var entry in _news.Take(status))
            Write(LogJson.Of(entry, status.SweepId));
        Write(new
        {
            @event = "progress",
            sweep = plan.Name,
            id = status.SweepId,
            state = SweepText.Word(status.State),
            evaluations_done = status.EvaluationsDone,
            evaluations_planned = status.EvaluationsPlanned,
            evaluations_per_second = status.Rate,
            seconds_left = status.Left?.TotalSeconds,
            recovered = status.Recovered,
            seconds = terminal.Time.GetElapsedTime(_began).TotalSeconds,
            stages = status.Stages.Select(s => Stage(s, waits.GetValueOrDefault(s.Key)?.Text)),
        });
    }

    object Stage(StageStatus s, string? waits)
    {
        var spec = _specs.GetValueOrDefault(s.Key);
        var (before, seed) = spec is null ? (null, null) : StageNames.Numbers(spec, _specs);
        return new
        {
            key = s.Key,
            stage = StageNames.Of(s.Kind),
            name = _names.GetValueOrDefault(s.Key),
            num_inference_steps = spec is { HasSteps: true } ? spec.NumInferenceSteps : (int?)null,
            before,
            seed,
            state = StageText.Word(StageText.Standing(s)),
            rows = s.RowsWanted,
            done = s.RowsDone,
            reused = s.RowsReused,
            failed = s.RowsFailed,
            waits,
        };
    }

    public void Say(string line) => terminal.Say(line);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    void Write<T>(T value) => terminal.Event(value);
}
