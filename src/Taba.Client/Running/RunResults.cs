using Taba.Storage.RunFolders;
using System.Text.Json;
using Taba.Client.Hosts;
using Taba.Client.Progress;
using Taba.Client.Reports;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;
using Taba.Silo.Outputs;

namespace Taba.Client.Running;

/// <summary>
/// Says what came out, and what a run left. On standard output stand its folders and its report, a line each, for scripts; what people read
/// besides, the finding and the samples that failed, on standard error. With JSON everything is a line of standard output.
/// </summary>
sealed class RunResults(Terminal terminal, RunJob job, OutputFolder output)
{
    /// <summary>On a screen more folders than these are told by the one that holds them.</summary>
    const int MostFolders = 12;

    /// <returns>The exit status.</returns>
    public int Print(SweepPlan plan, SweepStatus status, SweepReportFiles report, RunUse use)
    {
        PrintFinding(plan, report);
        if (!job.Json && terminal.OutputIsLive && plan.Runs.Length > MostFolders)
            terminal.Output.WriteLine($"{plan.Runs.Length} run folders in {output.Place}");
        else
            foreach (var run in plan.Runs)
                Line(new { @event = "run", run = run.Slug, folder = job.FolderOf(run, output).Place }, job.FolderOf(run, output).Place);
        Line(new { @event = "report", report = report.Html, results = report.Csv }, report.Html);
        if (!job.Json)
        {
            foreach (var sentence in use.Sentences())
                terminal.Say(sentence);
        }
        PrintFailures(plan, status);
        foreach (var (substitution, retry) in Retries(status))
        {
            terminal.Say(
                $"Stage {Kind(plan, substitution.StageKey)}: {substitution.Rows.Count} sample(s) gave NaN or Inf with the network in "
                + $"{retry.FromNetwork.Name()} "
                + $"and were computed again in {retry.ToNetwork.Name()}: rows {substitution.Rows}. manifest.json names them (retried).");
        }
        var exit = status.State == SweepState.CompletedWithFailures ? ExitStatus.SamplesFailed : ExitStatus.Done;
        if (job.Json)
        {
            terminal.Output.WriteLine(JsonSerializer.Serialize(new
            {
                @event = "done",
                exit_status = exit,
                evaluations = status.EvaluationsDone,
                devices = use.Json(),
                seconds_writing = use.Writing.TotalSeconds,
                reused_rows = status.Stages.Sum(s => (long)s.RowsReused),
                retried = Retries(status).SelectMany(
                    r => r.Substitution.Rows.Ranges.SelectMany(rows => Enumerable.Range(rows.Start, rows.Count)).Select(sample => new
                    {
                        stage = Kind(plan, r.Substitution.StageKey),
                        sample,
                        from_dtype = r.Retry.FromNetwork.Name(),
                        to_dtype = r.Retry.ToNetwork.Name(),
                    })),
                failures = status.Failures.Select(
                    f => new { stage = Kind(plan, f.StageKey), sample = f.Sample, step = f.Step, reason = f.Reason }),
                failed = FailureJson.Of(status, key => Kind(plan, key)),
            }));
        }
        return exit;
    }

    /// <summary>The numbers that the sweep was made for. Other runs in its folder are the report's.</summary>
    void PrintFinding(SweepPlan plan, SweepReportFiles report)
    {
        var slugs = plan.Runs.Select(r => r.Slug).ToHashSet();
        var groups = ReportGroup.Of(
            report.Runs.Where(r => slugs.Contains(r.Manifest.Run) && r.Manifest.Sweep == plan.Name).Select(r => new RunSection(r, [])));
        if (job.Json)
            terminal.Output.WriteLine(JsonSerializer.Serialize(FindingText.Json(groups)));
        else
            foreach (var line in FindingText.Lines(groups))
                terminal.Error.WriteLine(line);
    }

    /// <summary>The sweep is the cluster's now.</summary>
    /// <returns>The exit status.</returns>
    public int PrintDetached(SweepPlan plan)
    {
        Line(new { @event = "submitted", id = plan.SweepId, cluster = job.Cluster }, plan.SweepId);
        terminal.Say(
            $"Submitted to cluster {job.Cluster}. To see it, and to have its results when it has ended: taba watch {plan.SweepId} "
            + $"--cluster {job.Cluster} --out DIR; or the same command without --detach.");
        return ExitStatus.Done;
    }

    /// <summary>As many samples failed as the sweep's policy allows.</summary>
    /// <returns>The exit status.</returns>
    public int PrintStopped(SweepPlan plan, SweepStatus status)
    {
        PrintFailures(plan, status);
        terminal.Say(
            $"Stopped: {status.SamplesFailed} sample(s) failed, and on_error allows {plan.OnError.StopAfter - 1}. What was done is "
            + "kept; the same command tries the failed ones again.");
        if (job.Json)
            terminal.Output.WriteLine(JsonSerializer.Serialize(
                new { @event = "stopped", exit_status = ExitStatus.SamplesFailed, failures = status.SamplesFailed }));
        return ExitStatus.SamplesFailed;
    }

    void PrintFailures(SweepPlan plan, SweepStatus status)
    {
        foreach (var line in FailureText.Lines(status, key => $"stage {Kind(plan, key)}"))
            terminal.Say($"{char.ToUpperInvariant(line[0])}{line[1..]}");
    }

    static IEnumerable<(RowSubstitution Substitution, PrecisionRetry Retry)> Retries(SweepStatus status) =>
        (status.Substitutions.IsDefault ? [] : status.Substitutions).Where(s => s.Retry is not null).Select(s => (s, s.Retry!));

    void Line<T>(T json, string text) => terminal.Output.WriteLine(job.Json ? JsonSerializer.Serialize(json) : text);

    static string Kind(SweepPlan plan, string key) => StageNames.Of(plan)[key];
}
