using Taba.Client.Hosts;
using Taba.Client.Reports;
using Taba.Grains.Sweeps;
using Taba.Storage.RunFolders;

namespace Taba.Client.Running;

/// <summary>Tells a sweep the numbers of a run folder that was written, for whoever looks at the sweep.</summary>
static class ToldMetrics
{
    const string Low = ".low";
    const string High = ".high";

    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>The folder is written, whether or not the sweep hears of it: nothing that goes wrong here ends a run.</summary>
    public static async Task TellAsync(IRunSession session, SweepPlan plan, PlannedRun run, OutputFolder folder, TimeProvider time)
    {
        try
        {
            if (ReportRun.Read(folder, ours: true) is { Metrics.Count: > 0 } written)
            {
                await session.TellMetricsAsync(plan.SweepId, new(run.Slug, [.. Numbers(written)])).WaitAsync(s_patience, time);
            }
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or OutOfMemoryException))
        {
            // It is told again by whoever writes the folder again.
        }
    }

    /// <summary>The metrics, each with the ends of its interval behind it, under the same name with .low and .high.</summary>
    internal static IEnumerable<RunNumber> Numbers(ReportRun run)
    {
        var metrics = run.Metric(MetricKeys.Correlation) - run.Metric(MetricKeys.Floor) is { } above
            ? run.Metrics.Append(new(MetricKeys.AboveFloor, above))
            : run.Metrics;
        // What is no number (a deviation of one sample) cannot be said in JSON, and is left out.
        return metrics
            .SelectMany(m => run.Interval(m.Key) is { } interval
                ? [new(m.Key, m.Value), new($"{m.Key}{Low}", interval.Low), new($"{m.Key}{High}", interval.High)]
                : new RunNumber[] { new(m.Key, m.Value) })
            .Where(n => double.IsFinite(n.Value));
    }

    /// <summary>True of a number that is the end of another's interval.</summary>
    public static bool IsEnd(string name) =>
        name.EndsWith(Low, StringComparison.Ordinal) || name.EndsWith(High, StringComparison.Ordinal);
}
