using System.Globalization;
using System.Text;

namespace Taba.Client.Reports;

/// <summary>Interventions against plain inversion of the same samples, as a table.</summary>
static class DifferencesTable
{
    static readonly (string Title, string Key)[] s_columns =
    [
        ("patch correlation", MetricKeys.Correlation), ("latents std", MetricKeys.LatentStd), ("image error", MetricKeys.ImageError),
        ("noise error", MetricKeys.NoiseError),
    ];

    /// <summary>Empty where nothing is known of how sure a difference is.</summary>
    public static string Of(ReportGroup group)
    {
        var rows = group.Points.Where(p => p.Intervention is not null)
            .Select(p => (Point: p, Differences: s_columns.Select(c => PlainDifference.Of(p, group.Plain, c.Key)).ToList()))
            .Where(r => r.Differences.Any(d => d is not null)).ToList();
        if (rows.All(r => r.Differences.All(d => d?.Interval is null)))
            return "";
        var shown = Enumerable.Range(0, s_columns.Length).Where(i => rows.Any(r => r.Differences[i] is not null)).ToList();
        var html = new StringBuilder("<h3>Against plain inversion of the same samples</h3><div class=\"scroll\"><table><thead><tr>");
        html.Append("<th>intervention</th>");
        foreach (var i in shown)
            html.Append($"<th class=\"number\">{Html.Text(s_columns[i].Title)}</th><th class=\"number\">p</th>");
        html.Append("</tr></thead><tbody>");
        foreach (var (point, differences) in rows)
        {
            html.Append($"<tr><td>{Html.Text(point.Label)}</td>");
            foreach (var i in shown)
                html.Append($"<td class=\"number\">{Change(differences[i])}</td><td class=\"number\">{P(differences[i]?.PValue)}</td>");
            html.Append("</tr>");
        }
        var several = rows.Max(r => r.Differences.Max(d => d?.Pairs ?? 0)) > 1;
        return html.Append(
            "</tbody></table></div><p class=\"soft\">Differences with their 95 % intervals, paired: both runs begin with the same samples. "
            + (several ? "Over seeds, by Student's t. " : "Over samples, by the jackknife. ")
            + "p is the chance of so large a difference if there were none; it is not corrected for the number of rows here.</p>")
            .ToString();
    }

    /// <summary>"&lt; 0.001", "0.031".</summary>
    public static string P(double? p) => p switch
    {
        null => "–",
        < 0.001 => "&lt; 0.001",
        { } value => value.ToString("0.###", CultureInfo.InvariantCulture),
    };

    static string Change(PlainDifference? difference) => difference switch
    {
        null => "–",
        { Interval: { } interval } d =>
            $"{Html.Change(d.Mean, interval)} <small>{Html.Change(interval)}</small>",
        { } d => Html.Change(d.Mean, null),
    };
}
