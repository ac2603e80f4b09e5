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
        var numbers = ResultMetrics.Of(runs);
        var metrics = numbers.SelectMany(n => n.Select(m => m.Name)).Distinct().ToList();
        var intervals = Having(m => m.Interval is not null);
        var chances = Having(m => m.PValue is not null);
        var text = new StringBuilder();
        Line(text,
        [
            .. s_first, .. axes, .. RunSettings.InterventionNames, .. metrics,
            .. intervals.SelectMany(i => new[] { $"{i}_low", $"{i}_high" }), .. chances.Select(c => $"{c}_p"), .. s_last,
        ]);
        foreach (var (run, own) in runs.Zip(numbers))
        {
            var byName = own.ToDictionary(m => m.Name, m => (ResultMetric?)m);
            Line(text,
            [
                run.Manifest.Run, $"{run.Samples}", run.Manifest.Intervention ?? "",
                .. axes.Select(run.Axis),
                .. RunSettings.InterventionValues(run.Intervention),
                .. metrics.Select(m => Text(byName.GetValueOrDefault(m)?.Value)),
                .. intervals.Select(i => byName.GetValueOrDefault(i)?.Interval).SelectMany(i => new[] { Text(i?.Low), Text(i?.High) }),
                .. chances.Select(c => Text(byName.GetValueOrDefault(c)?.PValue)),
                run.Evaluations is { } evaluations ? $"{evaluations}" : "",
                run.Seconds?.ToString("0.###", CultureInfo.InvariantCulture) ?? "",
                run.Manifest.Sweep, run.Below,
            ]);
        }
        return text.ToString();

        List<string> Having(Func<ResultMetric, bool> has) =>
            [.. numbers.SelectMany(n => n.Where(has).Select(m => m.Name)).Distinct().Order(StringComparer.Ordinal)];
    }

    static string Text(double? number) => number?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    static void Line(StringBuilder text, IEnumerable<string> cells) => text.AppendJoin(',', cells.Select(Cell)).Append("\r\n");

    /// <summary>RFC 4180; a leading '=' and its like would be run as a formula by spreadsheets, so that a quote is put before.</summary>
    static string Cell(string value)
    {
        if (value.Length > 0 && value[0] is '=' or '+' or '@')
            value = "'" + value;
        return value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;
    }
}
