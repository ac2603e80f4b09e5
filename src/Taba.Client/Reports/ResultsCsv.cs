using System.Globalization;
using System.Text;

namespace Taba.Client.Reports;

/// <summary>One row a run: axes, intervention, metrics.</summary>
static class ResultsCsv
{
    static readonly string[] s_fixed = ["run", "samples", "intervention"];

    public static string Of(IReadOnlyList<ReportRun> runs)
    {
        var axes = runs.SelectMany(r => r.Manifest.Axes.Keys).Distinct().ToList();
        var metrics = runs.SelectMany(r => r.Metrics.Keys).Distinct().ToList();
        var text = new StringBuilder();
        Line(text, [.. s_fixed, .. axes, .. metrics, "evaluations", "wall_seconds"]);
        foreach (var run in runs)
        {
            Line(text,
            [
                run.Manifest.Run, $"{run.Samples}", run.Manifest.Intervention ?? "",
                .. axes.Select(run.Axis),
                .. metrics.Select(m => run.Metric(m)?.ToString("R", CultureInfo.InvariantCulture) ?? ""),
                $"{run.Manifest.Stages.Sum(s => s.Evaluations)}", run.Manifest.WallSeconds.ToString("0.###", CultureInfo.InvariantCulture),
            ]);
        }
        return text.ToString();
    }

    static void Line(StringBuilder text, IEnumerable<string> cells) => text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");

    /// <summary>RFC 4180; a leading '=' and its like would be run as a formula by spreadsheets, so that a quote is put before.</summary>
    static string Cell(string value)
    {
        if (value.Length > 0 && value[0] is '=' or '+' or '@')
            value = "'" + value;
        return value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;
    }
}
