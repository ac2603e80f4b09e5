using System.Text;
using Taba.Grains.Words;

namespace Taba.Client.Reports;

/// <summary>The metrics of a group's runs as an HTML table.</summary>
static class MetricsTable
{
    static readonly (string Title, string Key, string? Std)[] s_columns =
    [
        ("patch correlation", "correlation.mean", "correlation.std"),
        ("noise floor", "noise_correlation.mean", null),
        ("image error", "reconstruction_error_images", null),
        ("noise error", "reconstruction_error_noise", null),
        ("KL noise‖latents", "kl_div_noise_latent", null),
        ("latents", "latent_stats.mean", "latent_stats.std"),
    ];

    public static string Of(RunGroup group)
    {
        var columns = s_columns.Where(c => group.Runs.Any(r => r.Metric(c.Key) is not null)).ToList();
        var html = new StringBuilder("<div class=\"scroll\"><table><thead><tr><th>run</th>");
        foreach (var column in columns)
            html.Append($"<th class=\"number\">{Html.Text(column.Title)}</th>");
        html.Append("<th class=\"number\">evaluations</th></tr></thead><tbody>");
        foreach (var run in group.Runs)
        {
            html.Append(
                $"<tr><td><a href=\"#{Html.Text(run.Manifest.Run)}\">{Html.Text(RunLabels.Of(run.Manifest.Intervention))}</a></td>");
            foreach (var (_, key, std) in columns)
            {
                var spread = std is not null && run.Metric(std) is { } s ? $" <small>± {Html.Number(s)}</small>" : "";
                html.Append($"<td class=\"number\">{Html.Number(run.Metric(key))}{spread}</td>");
            }
            html.Append($"<td class=\"number\">{Quantities.Count(run.Manifest.Stages.Sum(s => s.Evaluations))}</td></tr>");
        }
        return html.Append("</tbody></table></div>").ToString();
    }
}
