using System.Globalization;
using System.Text;

namespace Taba.Client.Reports;

/// <summary>
/// One row a run: axes, intervention field by field, metrics. Names are those of a Python identifier: <c>correlation_mean</c> is
/// <c>correlation.mean</c> of metrics.json.
/// </summary>
static class ResultsCsv
{
    static readonly string[] s_first = ["run", "samples", "intervention"];
    static readonly string[] s_last = ["evaluations", "wall_seconds", "sweep", "folder"];

    /// <param name="runs">Of one report; their folders differ, so that no two rows are alike.</param>
    public static string Of(IReadOnlyList<ReportRun> runs)
    {
        var axes = runs.SelectMany(r => r.Manifest.Axes.Keys).Distinct().ToList();
        var metrics = runs.SelectMany(r => r.Metrics.Keys).Distinct().ToList();
        var intervals = runs.SelectMany(r => r.Intervals.Keys).Distinct().Order(StringComparer.Ordinal).ToList();
        var text = new StringBuilder();
        Line(text,
        [
            .. s_first, .. axes, .. RunSettings.InterventionNames, .. metrics.Select(Name),
            .. intervals.SelectMany(i => new[] { $"{Name(i)}_low", $"{Name(i)}_high" }), .. s_last,
        ]);
        foreach (var run in runs)
        {
            Line(text,
            [
                run.Manifest.Run, $"{run.Samples}", run.Manifest.Intervention ?? "",
                .. axes.Select(run.Axis),
                .. RunSettings.InterventionValues(run.Intervention),
                .. metrics.Select(m => Text(run.Metric(m))),
                .. intervals.SelectMany(i => new[] { Text(run.Interval(i)?.Low), Text(run.Interval(i)?.High) }),
                run.Evaluations is { } evaluations ? $"{evaluations}" : "",
                run.Seconds?.ToString("0.###", CultureInfo.InvariantCulture) ?? "",
                run.Manifest.Sweep, run.Below,
            ]);
        }
        return text.ToString();
    }

    static string Text(double? number) => number?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    /// <summary>Dots and dashes would make a name that pandas and formulas cannot use as it is.</summary>
    static string Name(string metric) => metric.Replace('.', '_').Replace('-', '_');

    static void Line(StringBuilder text, IEnumerable<string> cells) => text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");

    /// <summary>RFC 4180; a leading '=' and its like would be run as a formula by spreadsheets, so that a quote is put before.</summary>
    static string Cell(string value)
    {
        if (value.Length > 0 && value[0] is '=' or '+' or '@')
            value = "'" + value;
        return value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;
    }
}
