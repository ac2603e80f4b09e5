using System.Globalization;
using ParquetSharp;

namespace Taba.Client.Reports;

/// <summary>
/// One row a run and metric, tidy: the run's axes and intervention as in results.csv, then which metric, its value, its 95 % interval and
/// p. Numbers are numbers; what a run does not have is null.
/// </summary>
static class ResultsParquet
{
    /// <summary>Axes whose type does not depend on what a sweep happens to have; others are texts unless all values are numbers.</summary>
    static readonly Dictionary<string, Type> s_axes = new()
    {
        ["model"] = typeof(string), ["num_inference_steps"] = typeof(long), ["seed"] = typeof(long), ["guidance_scale"] = typeof(double),
    };

    static readonly Dictionary<string, Type> s_fields = new()
    {
        ["intervention_type"] = typeof(string), ["before"] = typeof(long), ["swap_type"] = typeof(string),
        ["forward_seed"] = typeof(long), ["forward_alignment"] = typeof(string),
    };

    /// <returns>The bytes of a Parquet file.</returns>
    public static byte[] Of(IReadOnlyList<ReportRun> runs)
    {
        var rows = runs.Zip(ResultMetrics.Of(runs)).SelectMany(r => r.Second.Select(metric => (Run: r.First, Metric: metric))).ToList();
        var columns = Columns(runs, rows).ToList();
        using var buffer = new MemoryStream();
        using (var writer = new ParquetFileWriter(buffer, [.. columns.Select(c => c.Column)], leaveOpen: true))
        {
            using (var group = writer.AppendRowGroup())
            {
                foreach (var column in columns)
                    column.Write(group);
            }
            writer.Close();
        }
        return buffer.ToArray();
    }

    static IEnumerable<Values> Columns(IReadOnlyList<ReportRun> runs, List<(ReportRun Run, ResultMetric Metric)> rows)
    {
        yield return Text("run", r => r.Manifest.Run);
        yield return Values.Of("samples", [.. rows.Select(r => (long?)r.Run.Samples)]);
        yield return Text("intervention", r => r.Manifest.Intervention);
        foreach (var axis in runs.SelectMany(r => r.Manifest.Axes.Keys).Distinct())
            yield return Typed(axis, r => r.Axis(axis), s_axes.GetValueOrDefault(axis) ?? TypeOf(runs.Select(r => r.Axis(axis))));
        for (var i = 0; i < RunSettings.InterventionNames.Count; i++)
        {
            var (name, at) = (RunSettings.InterventionNames[i], i);
            yield return Typed(
                name, r => RunSettings.InterventionValues(r.Intervention)[at],
                s_fields.GetValueOrDefault(name) ?? TypeOf(runs.Select(r => RunSettings.InterventionValues(r.Intervention)[at])));
        }
        yield return Values.Of("metric", [.. rows.Select(r => (string?)r.Metric.Name)]);
        yield return Values.Of("value", [.. rows.Select(r => (double?)r.Metric.Value)]);
        yield return Values.Of("low", [.. rows.Select(r => r.Metric.Interval?.Low)]);
        yield return Values.Of("high", [.. rows.Select(r => r.Metric.Interval?.High)]);
        yield return Values.Of("p", [.. rows.Select(r => r.Metric.PValue)]);
        yield return Values.Of("evaluations", [.. rows.Select(r => r.Run.Evaluations)]);
        yield return Values.Of("wall_seconds", [.. rows.Select(r => r.Run.Seconds)]);
        yield return Text("sweep", r => r.Manifest.Sweep);
        yield return Text("folder", r => r.Below);

        Values Text(string name, Func<ReportRun, string?> value) => Values.Of(name, [.. rows.Select(r => value(r.Run))]);

        Values Typed(string name, Func<ReportRun, string> value, Type type) =>
            type == typeof(long) ? Values.Of(name, [.. rows.Select(r => Whole(value(r.Run)))])
            : type == typeof(double) ? Values.Of(name, [.. rows.Select(r => Real(value(r.Run)))])
            : Values.Of(name, [.. rows.Select(r => value(r.Run) is { Length: > 0 } text ? text : null)]);
    }

    static Type TypeOf(IEnumerable<string> texts)
    {
        var known = texts.Where(t => t.Length > 0).ToList();
        return known.Count == 0 ? typeof(string)
            : known.All(t => Whole(t) is not null) ? typeof(long)
            : known.All(t => Real(t) is not null) ? typeof(double)
            : typeof(string);
    }

    static long? Whole(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    static double? Real(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A column with its values.</summary>
    sealed record Values(Column Column, Action<RowGroupWriter> Write)
    {
        public static Values Of<T>(string name, T[] values) => new(new Column<T>(name), group =>
        {
            using var column = group.NextColumn().LogicalWriter<T>();
            column.WriteBatch(values);
        });
    }
}
