using Taba.Client.Hosts;
using Taba.Client.Reports;
using Taba.Grains.Sweeps;
using Taba.Storage.RunFolders;

namespace Taba.Client.Running;

/// <summary>Tells a sweep the numbers of a run folder that was written, for whoever looks at the sweep.</summary>
static class ToldMetrics
{
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

    /// <summary>The metrics, then the ends of their intervals under the same name with <c>.low</c> and <c>.high</c> behind it.</summary>
    internal static IEnumerable<RunNumber> Numbers(ReportRun run)
    {
        var numbers = run.Metrics.Select(m => new RunNumber(m.Key, m.Value));
        if (run.Metric(MetricKeys.Correlation) - run.Metric(MetricKeys.Floor) is { } above)
            numbers = numbers.Append(new(MetricKeys.AboveFloor, above));
        // What is no number (a deviation of one sample) cannot be said in JSON, and is left out.
        return numbers
            .Concat(run.Intervals.SelectMany(i => new RunNumber[]
            {
                new($"{i.Key}.low", i.Value.Interval.Low), new($"{i.Key}.high", i.Value.Interval.High),
            }))
            .Where(n => double.IsFinite(n.Value));
    }
}
