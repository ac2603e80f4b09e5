using System.Text;
using Taba.Grains.Words;

namespace Taba.Client.Reports;

/// <summary>The page: self-contained, nothing is loaded from elsewhere.</summary>
static class ReportPage
{
    public static string Of(string title, IReadOnlyList<RunSection> sections)
    {
        var groups = RunGroup.Of(sections);
        var html = new StringBuilder();
        html.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html.Append(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">");
        html.Append($"<title>{Html.Text(title)}</title><style>{ReportStyle.Css}</style></head><body>");
        Summary(html, title, sections);
        Failures(html, sections);
        foreach (var group in groups)
            Group(html, group);
        html.Append("<h2>Runs</h2>");
        foreach (var group in groups)
            Pictures(html, group);
        return html.Append("</body></html>\n").ToString();
    }

    static void Summary(StringBuilder html, string title, IReadOnlyList<RunSection> sections)
    {
        var runs = sections.Select(s => s.Run).ToList();
        var stages = runs.SelectMany(r => r.Manifest.Stages).DistinctBy(s => s.Key).ToList();
        html.Append(
            $"<h1>{Html.Text(title)}</h1><p class=\"soft\">{runs.Count} {(runs.Count == 1 ? "run" : "runs")}, {stages.Count} stages, ");
        html.Append($"{Quantities.Count(stages.Sum(s => s.Evaluations))} network evaluations, ");
        html.Append(
            $"{Html.Text(Quantities.Duration(TimeSpan.FromSeconds(Math.Clamp(runs.Max(r => r.Manifest.WallSeconds), 0, 1e9))))} on ");
        html.Append(
            $"{Html.Text(string.Join(", ", runs.Select(r => r.Manifest.Device).Distinct()))}. The same numbers are in results.csv.</p>");
    }

    static void Failures(StringBuilder html, IReadOnlyList<RunSection> sections)
    {
        var failures = sections.SelectMany(s => s.Run.Manifest.Failures).Distinct().ToList();
        if (failures.Count == 0)
            return;
        var failed = sections.SelectMany(s => s.Run.Manifest.Failed).Distinct().Sum(f => (long)f.End - f.Start);
        html.Append(
            $"<div class=\"card warn\"><strong>{Math.Max(failures.Count, failed)} samples failed</strong>; their rows hold NaN and are "
            + "not counted in the metrics.<ul>");
        foreach (var failure in failures)
            html.Append(
                $"<li>sample {failure.Sample} at step {failure.Step} of stage {Html.Text(failure.Stage)}: "
                + $"{Html.Text(failure.Reason)}</li>");
        if (failed > failures.Count)
            html.Append("<li>and others, for these reasons; manifest.json names all rows (failed)</li>");
        html.Append("</ul></div>");
    }

    static void Group(StringBuilder html, RunGroup group)
    {
        html.Append($"<h2>{Html.Text(group.Title)}</h2>");
        if (GroupSummary.Of(group) is { } summary)
            html.Append($"<p>{Html.Text(summary)}</p>");
        var correlations = Bars(group, "correlation.mean").ToList();
        if (correlations.Count > 0)
        {
            var floor = group.NoiseFloor;
            var bars = floor is { } noise ? correlations.Prepend(new Bar("noise", noise, IsReference: true)).ToList() : correlations;
            html.Append("<div class=\"card\"><h3 style=\"margin-top:0\">Patch correlation of latents</h3>");
            html.Append(BarChart.Svg("Patch correlation of latents", bars, floor is { } value ? ("noise floor", value) : null));
            html.Append(
                $"<p class=\"soft\">Mean of the 20 largest absolute correlations between values of each 8×8 patch, over {group.Samples} "
                + "samples. ");
            html.Append(
                "White noise has none, yet the largest of finitely many estimates are not zero: that is the floor, which falls with the "
                + "number of samples.</p></div>");
        }
        var errors = Bars(group, "reconstruction_error_images").ToList();
        if (errors.Count > 0)
        {
            html.Append("<div class=\"card\"><h3 style=\"margin-top:0\">Error of reconstructed images</h3>");
            html.Append(BarChart.Svg("Error of reconstructed images", errors, null));
            html.Append(
                "<p class=\"soft\">Mean absolute difference between samples and their reconstructions; images span [-1, 1].</p></div>");
        }
        html.Append(MetricsTable.Of(group));
    }

    static IEnumerable<Bar> Bars(RunGroup group, string metric) =>
        from run in @group.Runs
        where run.Metric(metric) is { } value && double.IsFinite(value)
        select new Bar(RunLabels.Of(run.Manifest.Intervention), run.Metric(metric)!.Value);

    /// <summary>Runs of a group share noise and samples, which are shown once.</summary>
    static void Pictures(StringBuilder html, RunGroup group)
    {
        var first = group.Sections[0];
        foreach (var section in group.Sections)
        {
            html.Append(
                $"<section id=\"{Html.Text(section.Run.Manifest.Run)}\"><h3>{Html.Text(group.Title)}: "
                + $"{Html.Text(RunLabels.Of(section.Run.Manifest.Intervention))}</h3>");
            var shared = new List<string>();
            foreach (var picture in section.Pictures)
            {
                if (section != first && first.Pictures.Any(p => p.Name == picture.Name && p.Png.AsSpan().SequenceEqual(picture.Png)))
                    shared.Add(picture.Name);
                else
                    Figure(html, picture);
            }
            if (shared.Count > 0)
            {
                html.Append($"<p class=\"soft\">{Html.Text(string.Join(" and ", shared))} as in ");
                var (anchor, label) = (Html.Text(first.Run.Manifest.Run), Html.Text(RunLabels.Of(first.Run.Manifest.Intervention)));
                html.Append($"<a href=\"#{anchor}\">{label}</a>.</p>");
            }
            html.Append(RunFacts.Of(section.Run)).Append("</section>");
        }
    }

    static void Figure(StringBuilder html, RunPicture picture) => html.Append(
        $"<figure><figcaption>{Html.Text(picture.Title)}</figcaption><img alt=\"{Html.Text(picture.Title)}\" "
        + $"src=\"data:image/png;base64,{Convert.ToBase64String(picture.Png)}\"></figure>");
}
