using System.Text.Json;
using Taba.Client.Reports;
using Taba.Grains.Sweeps;

namespace Taba.Client.Running;

/// <summary>Says what a run left: its folders on standard output, samples that failed on standard error.</summary>
sealed class RunResults(Terminal terminal, RunJob job)
{
    /// <returns>The exit status.</returns>
    public int Print(SweepPlan plan, SweepStatus status, SweepReportFiles report)
    {
        foreach (var run in plan.Runs)
            Line(new { @event = "run", run = run.Slug, folder = job.FolderOf(run) }, job.FolderOf(run));
        Line(new { @event = "report", report = report.Html, results = report.Csv }, report.Html);
        foreach (var failure in status.Failures)
        {
            terminal.Error.WriteLine(
                $"Sample {failure.Sample} of stage {Kind(plan, failure.StageKey)} failed at step {failure.Step}: {failure.Reason}");
        }
        var exit = status.State == SweepState.CompletedWithFailures ? ExitStatus.SamplesFailed : ExitStatus.Done;
        if (job.Json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new
            {
                @event = "done",
                exit_status = exit,
                evaluations = status.EvaluationsDone,
                reused_rows = status.Stages.Sum(s => (long)s.RowsReused),
                failures = status.Failures.Select(f => new { stage = Kind(plan, f.StageKey), sample = f.Sample, step = f.Step, reason = f.Reason }),
            }));
        }
        return exit;
    }

    void Line<T>(T json, string text) => terminal.Output.WriteLine(job.Json ? JsonSerializer.Serialize(json) : text);

    static string Kind(SweepPlan plan, string key) => Progress.StageNames.Of(plan)[key];
}
