using System.Globalization;
using System.Text;

namespace Taba.Client.Reports;

/// <summary>The charts over K, the number of replaced steps, and over T, the number of steps, where a report has several.</summary>
static class AxisCharts
{
    static readonly (string Title, string Metric, bool HasFloor)[] s_charts =
    [
        ("Patch correlation of latents", MetricKeys.Correlation, true),
        ("Error of reconstructed images", MetricKeys.ImageError, false),
    ];

    /// <summary>A line for each kind of intervention, which begins at K = 0 with plain inversion. Empty where no kind has two K.</summary>
    public static string OverK(ReportGroup group)
    {
        var kinds = group.Points.Where(p => p.Intervention is not null).GroupBy(p => RunLabels.Kind(p.Intervention))
            // Two folders of one K are no function of it.
            .Where(kind => kind.Count() > 1 && kind.DistinctBy(p => p.Before).Count() == kind.Count()).Take(LineChart.MostSeries).ToList();
        if (kinds.Count == 0)
            return "";
        var shown = kinds.SelectMany(k => k).Concat(group.Plain is { } p ? [p] : []).ToList();
        var places = shown.Select(p => p.Before).Distinct().Order().Select(Text).ToList();
        return Charts(
            "over K", "K, steps replaced (0: plain inversion)", places, group.Floor,
            metric => kinds.Select(kind => new Series(
                kind.Key, Values(kind.Concat(group.Plain is { } plain ? [plain] : []), point => Text(point.Before), metric))));
    }

    /// <summary>A line for plain inversion and for each intervention that has several T. Empty where none has.</summary>
    /// <param name="groups">Groups that differ in T only, in its order.</param>
    public static string OverT(IReadOnlyList<ReportGroup> groups)
    {
        var places = groups.Select(Steps).ToList();
        var lines = groups.SelectMany(g => g.Points.Select(p => (Steps: Steps(g), Point: p))).GroupBy(p => p.Point.Label)
            .Where(line => line.Count() > 1).ToList();
        // Of many interventions the first and the last frame the others.
        const int Half = LineChart.MostSeries / 2;
        var chosen = lines.Count <= LineChart.MostSeries ? lines : [.. lines.Take(Half), .. lines[^Half..]];
        return chosen.Count == 0 || places.Count < 2
            ? ""
            : Charts(
                "over T", Axis(groups[0]) == "inversion_steps" ? "T, steps of inversion" : "T, inference steps", places, groups[0].Floor,
                metric => chosen.Select(line => new Series(
                    line.Key, Values(line.Select(p => p.Point), point => line.First(p => p.Point == point).Steps, metric))));
    }

    /// <summary>The axis that a group's T is a value of: where inversion has a T of its own, that one.</summary>
    public static string Axis(ReportGroup group) => group.Axes.ContainsKey("inversion_steps") ? "inversion_steps" : "num_inference_steps";

    public static string Steps(ReportGroup group) => group.Axes.GetValueOrDefault(Axis(group), "");

    static string Charts(
        string over, string axis, IReadOnlyList<string> places, Estimate? floor, Func<string, IEnumerable<Series>> series)
    {
        var html = new StringBuilder("<div class=\"pair\">");
        foreach (var (title, metric, hasFloor) in s_charts)
        {
            var lines = series(metric).Where(s => s.Values.Count > 1).ToList();
            if (lines.Count == 0)
                continue;
            html.Append($"<div class=\"card\"><h3>{title} {over}</h3>");
            html.Append(LineChart.Html($"{title} {over}", axis, places, lines, hasFloor ? floor?.Mean : null)).Append("</div>");
        }
        return html.Append("</div>").ToString();
    }

    static Dictionary<string, Estimate> Values(IEnumerable<ReportPoint> points, Func<ReportPoint, string> place, string metric) =>
        points.Select(p => (Place: place(p), Value: p.Metric(metric))).Where(p => p.Value is not null)
            .DistinctBy(p => p.Place).ToDictionary(p => p.Place, p => p.Value!.Value);

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
