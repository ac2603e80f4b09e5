using System.Globalization;
using Taba.Client.Drawing;

namespace Taba.Client.Reports;

/// <summary>The charts over K, the number of replaced steps, and over T, the number of steps, where a report has several.</summary>
static class AxisCharts
{
    static readonly (string Title, string Name, string Unit, string Metric, Func<ReportGroup, Estimate?> OfNoise)[] s_charts =
    [
        ("Patch correlation of latents", "correlation", "patch correlation (0 to 1)", MetricKeys.Correlation, g => g.Floor),
        ("Deviation of latents", "deviation", "standard deviation of values", MetricKeys.LatentStd, g => g.NoiseStd),
        ("Error of reconstructed images", "error", "error (images span −1 to 1)", MetricKeys.ImageError, _ => null),
    ];

    /// <summary>A line for each kind of intervention, which begins at K = 0 with plain inversion. None where no kind has two K.</summary>
    public static IReadOnlyList<Figure> OverK(ReportGroup group)
    {
        var kinds = group.Points.Where(p => p.Intervention is not null).GroupBy(p => RunLabels.Kind(p.Intervention))
            // Two folders of one K are no function of it.
            .Where(kind => kind.Count() > 1 && kind.DistinctBy(p => p.Before).Count() == kind.Count()).Take(Ink.Series).ToList();
        if (kinds.Count == 0)
            return [];
        var shown = kinds.SelectMany(k => k).Concat(group.Plain is { } p ? [p] : []).ToList();
        var places = shown.Select(p => p.Before).Distinct().Order().Select(Text).ToList();
        return Charts(
            "over K", FigureNames.Of(group, "over-k"), "K, steps replaced (0: plain inversion)", places, [group],
            metric => kinds.Select(kind => new Series(
                kind.Key, Values(kind.Concat(group.Plain is { } plain ? [plain] : []), point => Text(point.Before), metric))));
    }

    /// <summary>A line for plain inversion and for each intervention that has several T. None where none has.</summary>
    /// <param name="groups">Groups that differ in T only, in its order.</param>
    public static IReadOnlyList<Figure> OverT(IReadOnlyList<ReportGroup> groups)
    {
        var places = groups.Select(Steps).ToList();
        var lines = groups.SelectMany(g => g.Points.Select(p => (Steps: Steps(g), Point: p))).GroupBy(p => p.Point.Label)
            .Where(line => line.Count() > 1).ToList();
        // Of many interventions the first and the last frame the others.
        const int Half = Ink.Series / 2;
        var chosen = lines.Count <= Ink.Series ? lines : [.. lines.Take(Half), .. lines[^Half..]];
        return chosen.Count == 0 || places.Count < 2
            ? []
            : Charts(
                "over T", FigureNames.Of(groups, "over-t"),
                Axis(groups[0]) == "inversion_steps" ? "T, steps of inversion" : "T, inference steps", places, groups,
                metric => chosen.Select(line => new Series(
                    line.Key, Values(line.Select(p => p.Point), point => line.First(p => p.Point == point).Steps, metric))));
    }

    /// <summary>The axis that a group's T is a value of: where inversion has a T of its own, that one.</summary>
    public static string Axis(ReportGroup group) => group.Axes.ContainsKey("inversion_steps") ? "inversion_steps" : "num_inference_steps";

    public static string Steps(ReportGroup group) => group.Axes.GetValueOrDefault(Axis(group), "");

    static List<Figure> Charts(
        string over, string name, string axis, IReadOnlyList<string> places, IReadOnlyList<ReportGroup> groups,
        Func<string, IEnumerable<Series>> series)
    {
        var figures = new List<Figure>();
        foreach (var (title, word, unit, metric, ofNoise) in s_charts)
        {
            var lines = series(metric).Where(s => s.Values.Count > 1).ToList();
            if (lines.Count == 0)
                continue;
            var plot = new Plot(axis, unit, [.. lines.Select(line => Line(line, places))])
            {
                Places = places,
                Floor = ofNoise(groups[0]) is { } floor
                    ? new(metric == MetricKeys.Correlation ? "noise floor" : "noise", floor.Mean, floor.Interval?.Low, floor.Interval?.High)
                    : null,
            };
            figures.Add(new($"{name}-{word}", $"{title} {over}", Note(lines, plot, groups), plot.Draw()));
        }
        return figures;
    }

    static string Note(List<Series> lines, Plot plot, IReadOnlyList<ReportGroup> groups)
    {
        var values = lines.SelectMany(l => l.Values.Values).ToList();
        var note = $"N = {groups[0].Samples}.";
        if (values.Max(v => v.Count) is > 1 and var most)
            note += $" Marks are means over {(values.Min(v => v.Count) == most ? "" : "up to ")}{most} runs.";
        if (values.Any(v => v.Interval is not null))
            note += " Bars are 95 % intervals.";
        return plot.Floor switch
        {
            null => note,
            { Low: null } => $"{note} The dashed line is what the noise of these samples has.",
            _ => $"{note} The dashed line is what white noise has at this N, the band its 95 % interval.",
        };
    }

    static PlotLine Line(Series series, IReadOnlyList<string> places) => new(
        series.Name,
        [
            .. places.Select((place, at) => (place, at)).Where(p => series.Values.ContainsKey(p.place)).Select(p =>
            {
                var value = series.Values[p.place];
                var hasBar = value.Count > 1 || value.Interval is not null;
                return new PlotPoint(p.at, value.Mean, hasBar ? value.Ends.Low : null, hasBar ? value.Ends.High : null)
                {
                    Words = $"{series.Name}, {p.place}: {Html.Words(value)}",
                };
            }),
        ]);

    static Dictionary<string, Estimate> Values(IEnumerable<ReportPoint> points, Func<ReportPoint, string> place, string metric) =>
        points.Select(p => (Place: place(p), Value: p.Metric(metric))).Where(p => p.Value is not null)
            .DistinctBy(p => p.Place).ToDictionary(p => p.Place, p => p.Value!.Value);

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A line of a chart: a value at some of the places of the axis.</summary>
    sealed record Series(string Name, IReadOnlyDictionary<string, Estimate> Values);
}
