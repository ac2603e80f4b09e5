using System.Globalization;
using Taba.Client.Reports;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Comparing;

/// <summary>A table of a comparison.</summary>
/// <param name="Rows">The first is the head.</param>
/// <param name="Words">So many columns hold words, the others numbers.</param>
sealed record ComparisonTable(IReadOnlyList<string[]> Rows, int Words);

/// <summary>A comparison as tables, for the terminal and for a page.</summary>
static class ComparisonTables
{
    const int MostAlone = 4;

    /// <summary>Of a difference that N supports.</summary>
    const string Mark = "*";

    /// <summary>The metrics that are told of many runs; of a pair all are.</summary>
    static readonly string[] s_main = [MetricKeys.Correlation, MetricKeys.ImageError, MetricKeys.NoiseError];

    public static IEnumerable<ComparisonTable> Of(Comparison comparison)
    {
        if (comparison.Settings.Count > 0)
            yield return new(
                [["setting", "A", "B"], .. comparison.Settings.Select(s => new[] { s.Name, s.A ?? "-", s.B ?? "-" })], 3);
        if (comparison.Runs is [{ Pair.Label: "" } single])
        {
            yield return new([["metric", "A", "B", "B - A"], .. single.Metrics.Select(m => Values([m.Name], m))], 1);
            yield return new(
                [
                    ["tensor", "samples", "largest difference", "of sample", "mean difference"],
                    .. single.Tensors.Select(
                        t => new[] { t.Name, Text(t.Rows), Number(t.Largest), t.Largest == 0 ? "" : Text(t.Sample), Number(t.Mean) }),
                ],
                1);
            yield break;
        }
        foreach (var name in s_main.Where(name => comparison.Runs.Any(r => r.Metrics.Any(m => m.Name == name))))
            yield return new(
                [
                    [name, "A", "B", "B - A"],
                    .. comparison.Runs.SelectMany(r => r.Metrics.Where(m => m.Name == name).Select(m => Values([r.Pair.Label], m))),
                ],
                1);
        var tensors = comparison.Runs.SelectMany(r => r.Tensors.Select(t => t.Name)).Distinct().ToList();
        yield return new(
            [
                ["largest difference", .. tensors],
                .. comparison.Runs.Select(r => (string[])
                    [r.Pair.Label, .. tensors.Select(name => Number(r.Tensors.FirstOrDefault(t => t.Name == name)?.Largest))]),
            ],
            1);
    }

    /// <summary>What the marks mean and what has no partner, as sentences.</summary>
    public static IEnumerable<string> Notes(Comparison comparison)
    {
        var metrics = comparison.Runs.SelectMany(r => r.Metrics).ToList();
        if (metrics.Any(m => m.OfA is not null || m.OfB is not null || m.Between is not null))
            yield return "In brackets are 95 % intervals over samples; those of differences are paired where both have the same samples.";
        if (metrics.Any(m => m.IsTold))
            yield return $"{Mark} the interval of the difference excludes 0";
        if (comparison.OnlyA.Count > 0)
            yield return $"only in A: {Names(comparison.OnlyA)}";
        if (comparison.OnlyB.Count > 0)
            yield return $"only in B: {Names(comparison.OnlyB)}";
    }

    static string Names(IReadOnlyList<ReportRun> runs) => runs.Count <= MostAlone
        ? string.Join(", ", runs.Select(Name))
        : $"{string.Join(", ", runs.Take(MostAlone - 1).Select(Name))} and {runs.Count - MostAlone + 1} more";

    static string Name(ReportRun run) => run.Below.Length > 0 ? run.Below : run.Manifest.Run;

    static string[] Values(string[] first, MetricDifference m) =>
    [
        .. first, $"{Number(m.A)}{Ends(m.OfA)}", $"{Number(m.B)}{Ends(m.OfB)}",
        $"{Number(m.Difference)}{Ends(m.Between)}{(m.IsTold ? $" {Mark}" : m.Between is null ? "" : "  ")}",
    ];

    static string Ends(Interval? interval) => interval is { } known ? $" ({Html.Ends(known)})" : "";

    /// <summary>Six digits: differences of runs that should be equal are small.</summary>
    static string Number(double? value) =>
        value?.ToString("G6", CultureInfo.InvariantCulture).Replace("-", "−", StringComparison.Ordinal) ?? "-";

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
