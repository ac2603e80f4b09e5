using System.Globalization;
using System.Text;
using Taba.Client.Figures;

namespace Taba.Client.Reports;

/// <summary>The paper's values beside those of plain inversion here, as HTML, marked as second-hand.</summary>
static class PublishedTable
{
    static readonly (string Key, string Words)[] s_rows =
    [
        ("noise_correlation", "patch correlation of noise (the floor)"), ("latent_correlation", "patch correlation of latents"),
        ("sample_correlation", "patch correlation of samples, as the sampler left them"),
        ("error_plain", "latents − noise, plain areas"), ("error_other", "latents − noise, elsewhere"),
        ("latent_std_plain", "deviation of latents, plain areas"), ("latent_std_other", "deviation of latents, elsewhere"),
    ];

    /// <summary>Empty for a model that is not one of the paper's.</summary>
    /// <param name="measured">A run of plain inversion, whose tensors tell what metrics.json does not.</param>
    public static string Of(ReportGroup group, FigureRun measured, CancellationToken cancellationToken)
    {
        if (group.Plain is not { } plain || PublishedValues.All.Of(plain.Runs.First()) is not { } published)
            return "";
        var own = PlainInversion.Measure(measured, cancellationToken);
        var html = new StringBuilder("<h3>The paper's values beside these</h3><div class=\"scroll\"><table><thead><tr>");
        html.Append("<th>plain inversion</th><th class=\"number\">paper, second-hand</th>");
        html.Append("<th class=\"number\">here</th></tr></thead><tbody>");
        foreach (var (key, words) in s_rows.Where(r => published.Values.ContainsKey(r.Key)))
        {
            var here = key switch
            {
                "noise_correlation" => Html.Estimate(group.Floor),
                "latent_correlation" => Html.Estimate(plain.Metric(MetricKeys.Correlation)),
                _ => Html.Number(own.TryGetValue(key, out var number) ? number : null),
            };
            html.Append($"<tr><td>{Html.Text(words)}</td><td class=\"number\">");
            html.Append($"{published.Values[key].ToString(CultureInfo.InvariantCulture)}</td><td class=\"number\">{here}</td></tr>");
        }
        var all = PublishedValues.All;
        return html.Append(
            $"</tbody></table></div><p class=\"soft\">{Html.Text(all.Paper)}, about "
            + $"{all.Samples.ToString("N0", CultureInfo.InvariantCulture)} samples; here N = {group.Samples}. A correlation falls with "
            + "N, so that only those of one N can be compared. "
            + $"<strong>Second-hand</strong>: {Html.Text(all.SecondHand)}. Here plain areas are found in the images as they were saved, "
            + "and no equality with the paper's is claimed.</p>").ToString();
    }
}
