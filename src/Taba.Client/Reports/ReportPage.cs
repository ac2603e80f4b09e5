using System.Text;
using Taba.Grains.Words;
using Taba.Silo.Outputs;

namespace Taba.Client.Reports;

/// <summary>The page: self-contained, nothing is loaded from elsewhere.</summary>
static class ReportPage
{
    /// <summary>So few runs are shown with their pictures at once.</summary>
    const int FewRuns = 6;

    /// <param name="sections">All runs.</param>
    /// <param name="figures">Of their groups.</param>
    public static string Of(string title, IReadOnlyList<RunSection> sections, ReportFigures figures)
    {
        var html = new StringBuilder(Head(title));
        Summary(html, title, sections);
        Failures(html, sections);
        foreach (var (family, overT) in figures.OverT)
            html.Append($"<h2>{Html.Text(family)}</h2>").Append(ReportFigures.Html(overT));
        foreach (var group in figures.OfGroups)
            Group(html, group.Group, group);
        html.Append("<h2>Runs</h2>");
        foreach (var group in figures.OfGroups.Select(g => g.Group))
            html.Append(RunDetails.Of(group, open: sections.Count <= FewRuns));
        return html.Append("</body></html>\n").ToString();
    }

    /// <summary>The begin of a page, to the body's tag.</summary>
    public static string Head(string title) =>
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        + $"<title>{Html.Text(title)}</title><style>{ReportStyle.Css}</style></head><body>";

    static void Summary(StringBuilder html, string title, IReadOnlyList<RunSection> sections)
    {
        var runs = sections.Select(s => s.Run).ToList();
        // Runs share stages; of one stage the run with the most rows tells all that was computed.
        var stages = runs.SelectMany(r => r.Manifest.Stages).GroupBy(s => s.Key).Select(g => g.MaxBy(s => s.Evaluations)!).ToList();
        var facts = new List<string> { $"{runs.Count} {(runs.Count == 1 ? "run" : "runs")}" };
        if (stages.Count > 0)
        {
            facts.Add($"{stages.Count} stages");
            facts.Add($"{Quantities.Count(stages.Sum(s => s.Evaluations))} network evaluations");
            if (RunStage.SecondsOf(stages) is { } seconds)
                facts.Add($"{Quantities.Duration(TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 1e9)))} of computing");
        }
        var devices = runs.Select(r => r.Manifest.Device).Where(d => d.Length > 0).Distinct().ToList();
        html.Append($"<h1>{Html.Text(title)}</h1><p class=\"soft\">{Html.Text(string.Join(", ", facts))}");
        html.Append(devices.Count > 0 ? $" on {Html.Text(string.Join(", ", devices))}" : "");
        html.Append(". Every run is a row of <a href=\"results.csv\">results.csv</a>, every number one of "
            + "<a href=\"results.parquet\">results.parquet</a>.</p>");
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

    static void Group(StringBuilder html, ReportGroup group, GroupFigures figures)
    {
        html.Append($"<h2>{Html.Text(group.Title)}</h2>");
        if (GroupSummary.Of(group) is { } summary)
            html.Append($"<p>{Html.Text(summary)}</p>");
        Dots(
            html, group, "Patch correlation of latents", MetricKeys.Correlation, group.Floor,
            $"Mean of the 20 largest absolute correlations between values of each 8×8 patch, over {group.Samples} samples. White noise has "
            + "none, yet the largest of finitely many estimates are not zero: that is the floor, which falls with the number of samples.");
        Dots(
            html, group, "Deviation of latents", MetricKeys.LatentStd, group.NoiseStd,
            "Standard deviation of all values. That of noise is 1; latents that have less are not noise, however little correlated.");
        Dots(
            html, group, "Error of reconstructed images", MetricKeys.ImageError, null,
            "Mean absolute difference between samples and their reconstructions; images span [-1, 1].");
        html.Append(ReportFigures.Html(figures.OverK)).Append(MetricsTable.Of(group)).Append(DifferencesTable.Of(group))
            .Append(figures.Published);
        if (figures is { Pictures: { } pictures, Strip: { } strip })
            html.Append(pictures.Html(strip.FileName));
        html.Append(ReportFigures.Html(figures.OfTensors));
    }

    static void Dots(StringBuilder html, ReportGroup group, string title, string metric, Estimate? floor, string note)
    {
        var dots = group.Points.Select(p => (p.Label, Value: p.Metric(metric))).Where(p => p.Value is not null)
            .Select(p => new Dot(p.Label, p.Value!.Value)).ToList();
        if (dots.Count == 0)
            return;
        if (floor is { } noise)
            dots.Insert(0, new(metric == MetricKeys.Correlation ? "noise floor" : "noise", noise, IsReference: true));
        var (fewest, most) = (dots.Min(d => d.Value.Count), dots.Max(d => d.Value.Count));
        var runs = fewest == most ? $"{most}" : $"{fewest} to {most}";
        var means = most > 1 ? $" Dots are means over {runs} runs of other seeds." : "";
        var kinds = dots.Where(d => d.Value.Interval is not null).Select(d => d.Value.IsOverSamples).Distinct().ToList();
        var over = kinds is [var samples] ? samples ? "samples" : "seeds" : "seeds, or over the samples of a single run";
        var bars = dots.Any(d => d.Value.Interval is not null) ? $" Bars are 95 % intervals over {over}." : "";
        html.Append($"<div class=\"card\"><h3>{title}</h3>").Append(DotChart.Html(title, dots, floor?.Mean));
        html.Append($"<p class=\"soft\">{note}{means}{bars}</p></div>");
    }
}
