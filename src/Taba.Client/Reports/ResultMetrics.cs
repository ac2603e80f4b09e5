using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>A number of a run, and how sure it is.</summary>
/// <param name="Name">A Python identifier: <c>correlation_mean</c> is <c>correlation.mean</c> of metrics.json.</param>
/// <param name="Interval">95 %; null when not known.</param>
/// <param name="PValue">Of differences: the chance of one so large if there were none; null when not known.</param>
readonly record struct ResultMetric(string Name, double Value, Interval? Interval, double? PValue);

/// <summary>The numbers of runs for tables that programs read.</summary>
static class ResultMetrics
{
    /// <summary>What is told against plain inversion of the same samples, under the number's name with this behind it.</summary>
    public const string MinusPlain = "_minus_plain";

    static readonly string[] s_differences =
        [MetricKeys.Correlation, MetricKeys.ImageError, MetricKeys.NoiseError, MetricKeys.LatentStd];

    /// <summary>Those of metrics.json, then what is told of two of them, run by run in the order of the runs.</summary>
    public static IReadOnlyList<IReadOnlyList<ResultMetric>> Of(IReadOnlyList<ReportRun> runs)
    {
        var plain = runs.Where(r => r.Intervention is null).GroupBy(Key).ToDictionary(g => g.Key, g => g.ToList());
        return [.. runs.Select(run => Of(run, PlainOf(run, plain.GetValueOrDefault(Key(run)) ?? [])))];
    }

    static List<ResultMetric> Of(ReportRun run, ReportRun? plain)
    {
        var numbers = run.Metrics.Select(m => new ResultMetric(Name(m.Key), m.Value, run.Interval(m.Key), null)).ToList();
        if (run.Metric(MetricKeys.Correlation) - run.Metric(MetricKeys.Floor) is { } above)
            numbers.Add(new(
                Name(MetricKeys.AboveFloor), above, run.Interval(MetricKeys.AboveFloor),
                run.Intervals.GetValueOrDefault(MetricKeys.AboveFloor)?.PValue));
        foreach (var key in plain is null ? [] : s_differences)
        {
            if (PlainDifference.Between(run, plain!, key) is { } difference)
                numbers.Add(new(Name(key) + MinusPlain, difference.Mean, difference.Interval, difference.PValue));
        }
        return [.. numbers.DistinctBy(m => m.Name)];
    }

    /// <summary>Of several sweeps of one question each run has the plain run of its own; else there must be only one.</summary>
    static ReportRun? PlainOf(ReportRun run, List<ReportRun> plain)
    {
        if (run.Intervention is null)
            return null;
        var beside = plain.Where(p => Path.GetDirectoryName(p.Below) == Path.GetDirectoryName(run.Below)).ToList();
        return beside.Count == 1 ? beside[0] : plain.Count == 1 ? plain[0] : null;
    }

    /// <summary>Runs that begin with the same samples.</summary>
    static string Key(ReportRun run) => string.Join('\n', run.Manifest.Axes.Select(a => $"{a.Key} {a.Value}")
        .Append($"{run.Manifest.RowStart} {run.Manifest.RowEnd}"));

    /// <summary>Dots and hyphens would make a name that pandas and formulas cannot use as it is.</summary>
    static string Name(string metric) => metric.Replace('.', '_').Replace('-', '_');
}
