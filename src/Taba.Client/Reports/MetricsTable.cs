using System.Text;
using Taba.Grains.Words;

namespace Taba.Client.Reports;

/// <summary>A group as an HTML table: a row a point, its settings in columns, its metrics as means over seeds.</summary>
static class MetricsTable
{
    static readonly (string Title, string Key)[] s_columns =
    [
        ("patch correlation", MetricKeys.Correlation), ("image error", MetricKeys.ImageError), ("noise error", MetricKeys.NoiseError),
        ("KL noise‖latents", MetricKeys.Divergence), ("latents mean", MetricKeys.LatentMean), ("latents std", MetricKeys.LatentStd),
    ];

    static readonly (string Title, Func<ReportRun, string?> Of)[] s_seeds =
        [("forward seed", run => run.Intervention?.ForwardSeed?.ToString()), ("seed", run => run.Axis("seed"))];

    public static string Of(ReportGroup group)
    {
        var columns = s_columns.Where(c => group.Points.Any(p => p.Metric(c.Key) is not null)).ToList();
        // A seed that all have tells nothing apart; each run says its own below.
        var seeds = s_seeds.Where(s => group.Runs.Select(s.Of).Where(seed => seed is { Length: > 0 }).Distinct().Count() > 1).ToList();
        var severalRuns = group.Points.Any(p => p.Sections.Count > 1);
        var html = new StringBuilder("<div class=\"scroll\"><table><thead><tr><th>intervention</th><th class=\"number\">K</th>");
        foreach (var (title, _) in seeds)
            html.Append($"<th>{title}</th>");
        if (severalRuns)
            html.Append("<th class=\"number\">runs</th>");
        foreach (var column in columns)
            html.Append($"<th class=\"number\">{Html.Text(column.Title)}</th>");
        html.Append("<th class=\"number\">evaluations</th></tr></thead><tbody>");
        if (group.Floor is { } floor && columns.Any(c => c.Key == MetricKeys.Correlation))
        {
            html.Append($"<tr class=\"soft\"><td>noise (the floor)</td><td></td>{string.Concat(seeds.Select(_ => "<td></td>"))}");
            html.Append(severalRuns ? $"<td class=\"number\">{floor.Count}</td>" : "");
            foreach (var (_, key) in columns)
            {
                var ofNoise = key switch
                {
                    MetricKeys.Correlation => floor,
                    MetricKeys.LatentStd => group.NoiseStd,
                    _ => null,
                };
                html.Append(ofNoise is { } known ? $"<td class=\"number\">{Html.Estimate(known)}</td>" : "<td></td>");
            }
            html.Append("<td></td></tr>");
        }
        foreach (var point in group.Points)
        {
            html.Append($"<tr><td><a href=\"#{Html.Text(RunDetails.Anchor(point.Runs.First()))}\">{Html.Text(Name(point))}</a></td>");
            html.Append($"<td class=\"number\">{(point.Intervention is null ? "" : $"{point.Before}")}</td>");
            foreach (var (_, seed) in seeds)
                html.Append($"<td>{Html.Text(List(point.Runs.Select(seed)))}</td>");
            if (severalRuns)
                html.Append($"<td class=\"number\">{point.Sections.Count}</td>");
            foreach (var (_, key) in columns)
                html.Append($"<td class=\"number\">{Html.Estimate(point.Metric(key))}</td>");
            var evaluations = point.Runs.Sum(r => r.Evaluations);
            html.Append($"<td class=\"number\">{(evaluations is > 0 ? Quantities.Count(evaluations.Value) : "–")}</td></tr>");
        }
        return html.Append("</tbody></table></div>").ToString();
    }

    /// <summary>What set a folder apart that is no field stands behind its label.</summary>
    static string Name(ReportPoint point) =>
        RunLabels.Kind(point.Intervention) + point.Label[RunLabels.Of(point.Intervention).Length..];

    /// <summary>"420, 421 and 14 more".</summary>
    static string List(IEnumerable<string?> values)
    {
        var distinct = values.OfType<string>().Where(v => v.Length > 0).Distinct().ToList();
        return distinct.Count <= 4 ? string.Join(", ", distinct) : $"{distinct[0]}, {distinct[1]} and {distinct.Count - 2} more";
    }
}
