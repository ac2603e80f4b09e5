using System.Text.Json;
using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>A JSON object a line on standard error.</summary>
sealed class JsonProgress(Terminal terminal, SweepPlan plan) : IProgressView
{
    public void Show(ProgressReading reading)
    {
        var status = reading.Status;
        Write(new
        {
            @event = "progress",
            sweep = plan.Name,
            id = status.SweepId,
            state = status.State.ToString(),
            evaluations_done = status.EvaluationsDone,
            evaluations_planned = status.EvaluationsPlanned,
            evaluations_per_second = reading.Rate,
            seconds_left = reading.Left?.TotalSeconds,
            seconds = reading.Elapsed.TotalSeconds,
            stages = status.Stages.Select(s => new
            {
                key = s.Key,
                stage = StageNames.Of(s.Kind),
                rows = s.RowsWanted,
                done = s.RowsDone,
                reused = s.RowsReused,
                failed = s.RowsFailed,
            }),
        });
    }

    public void Say(string line) => Write(new { @event = "note", message = line });

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    void Write<T>(T value) => terminal.Error.WriteLine(JsonSerializer.Serialize(value));
}
