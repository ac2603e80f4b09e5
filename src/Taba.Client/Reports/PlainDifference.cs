using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>What an intervention changes against plain inversion of the same samples.</summary>
/// <param name="PValue">Null when there is no interval.</param>
/// <param name="Pairs">Runs that have a plain run of their seed beside them.</param>
sealed record PlainDifference(double Mean, Interval? Interval, double? PValue, int Pairs)
{
    public bool IsTold => Interval is { } interval && !interval.Holds(0);

    /// <summary>Of one pair over its samples, of several over their seeds. Null without a pair.</summary>
    public static PlainDifference? Of(ReportPoint point, ReportPoint? plain, string metric)
    {
        if (plain is null || point.Intervention is null)
            return null;
        var pairs = point.Runs.Select(run => (Run: run, Plain: plain.Runs.FirstOrDefault(p => p.Axis("seed") == run.Axis("seed"))))
            .Where(p => p.Plain?.Metric(metric) is { } a && p.Run.Metric(metric) is { } b && double.IsFinite(a) && double.IsFinite(b))
            .ToList();
        if (pairs.Count == 0)
            return null;
        if (pairs.Count > 1)
        {
            var over = StudentInterval.OfPairs(
                [.. pairs.Select(p => p.Run.Metric(metric)!.Value)], [.. pairs.Select(p => p.Plain!.Metric(metric)!.Value)]);
            return new(over.Mean, over.Interval, over.PValue, pairs.Count);
        }
        return Between(pairs[0].Run, pairs[0].Plain!, metric);
    }

    /// <summary>
    /// What a run has above another, with an interval over samples where both have as many. Of the same samples what they share does not
    /// count; of others it does. Null where one of them has no such number.
    /// </summary>
    public static PlainDifference? Between(ReportRun run, ReportRun other, string metric)
    {
        if (run.Metric(metric) - other.Metric(metric) is not { } difference || !double.IsFinite(difference))
            return null;
        if (run.Samples != other.Samples || Replicated(run, metric) is not { } ours || Replicated(other, metric) is not { } theirs)
            return new(difference, null, null, 1);
        var paired = ours.Minus(theirs);
        // Two equal runs have no spread.
        return paired.StandardError > 0
            ? new(difference, paired.Interval, paired.PValue, 1)
            : new(difference, null, null, 1);
    }

    static Jackknife? Replicated(ReportRun run, string metric) =>
        run.Intervals.GetValueOrDefault(metric) is { Replicates.Count: > 0 } known
            ? new(run.Metric(metric)!.Value, known.Replicates)
            : null;
}
