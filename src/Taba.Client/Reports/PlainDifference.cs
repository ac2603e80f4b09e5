using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>What an intervention changes against plain inversion of the same samples.</summary>
/// <param name="PValue">Null when there is no interval.</param>
/// <param name="Pairs">Seeds, or runs, that the interval is over; 1 when it is over samples.</param>
sealed record PlainDifference(double Mean, Interval? Interval, double? PValue, int Pairs)
{
    public bool IsTold => Interval is { } interval && !interval.Holds(0);

    /// <summary>Of one seed over its samples, of several over them. Null without a plain run of the same seed.</summary>
    public static PlainDifference? Of(ReportPoint point, ReportPoint? plain, string metric)
    {
        if (plain is null || point.Intervention is null)
            return null;
        var pairs = point.Runs.Select(run => (Run: run, Plain: plain.Runs.FirstOrDefault(p => p.Axis("seed") == run.Axis("seed"))))
            .Where(p => p.Plain?.Metric(metric) is { } a && p.Run.Metric(metric) is { } b && double.IsFinite(a) && double.IsFinite(b))
            .ToList();
        if (pairs.Count == 0)
            return null;
        var changes = pairs.GroupBy(p => p.Run.Axis("seed"), p => p.Run.Metric(metric)!.Value - p.Plain!.Metric(metric)!.Value).ToList();
        if (changes.Count > 1)
        {
            // Several seeds are independent and count once each, with the mean of their runs of other forward noise.
            var over = StudentInterval.Of([.. changes.Select(seed => seed.Average())]);
            return new(over.Mean, over.Interval, over.PValue, changes.Count);
        }
        var difference = changes[0].Average();
        List<Jackknife> paired =
        [
            .. from pair in pairs
               let ours = Replicated(pair.Run, metric)
               let theirs = Replicated(pair.Plain!, metric)
               where ours is not null && theirs is not null
               select ours.Minus(theirs),
        ];
        if (paired.Count == pairs.Count)
        {
            // All runs of one seed have the same samples, and a replicate leaves the same rows out of each.
            var mean = new Jackknife(difference, [.. paired[0].Replicates.Select((_, i) => paired.Average(p => p.Replicates[i]))]);
            // Equal runs have no spread.
            return mean.StandardError > 0 ? new(difference, mean.Interval, mean.PValue, 1) : new(difference, null, null, 1);
        }
        if (pairs.Count == 1)
            return new(difference, null, null, 1);
        var overNoise = StudentInterval.Of([.. changes[0]]);
        return new(difference, overNoise.Interval, overNoise.PValue, pairs.Count);
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
