using Taba.Storage.RunFolders;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Grains;
using Taba.Silo.Outputs;

namespace Taba.Client.Reports;

/// <summary>A run folder as the report sees it: its manifest, its metrics, its parameters.</summary>
sealed record ReportRun(
    OutputFolder Folder, RunFolder Manifest, IReadOnlyDictionary<string, double> Metrics, IReadOnlyDictionary<string, string> Parameters)
{
    const int MaxJsonBytes = 16 << 20;

    /// <summary>Reads a folder; null when it holds no run of ours.</summary>
    /// <exception cref="BadInputException">It holds one that cannot be read.</exception>
    public static ReportRun? Read(OutputFolder folder)
    {
        try
        {
            if (RunFolder.Read(folder) is not { } manifest)
                return null;
            var metrics = MetricsOf(folder, RunFolder.MetricsName);
            return new(
                folder, manifest, Numbers(metrics?["metrics"]),
                (metrics?["_params"] as JsonObject)?.ToDictionary(p => p.Key, p => p.Value?.ToString() ?? "null") ?? []);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new BadInputException($"The run folder {folder.Place} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Rows.</summary>
    public int Samples => Manifest.RowEnd - Manifest.RowStart;

    public double? Metric(string key) => Metrics.TryGetValue(key, out var value) ? value : null;

    public string Axis(string name) => Manifest.Axes.GetValueOrDefault(name, "");

    static JsonNode? MetricsOf(OutputFolder folder, string file)
    {
        if (folder.Length(file) > MaxJsonBytes)
            throw new InvalidDataException($"{folder.Place}/{file} is larger than any metrics.json.");
        return folder.Read(file) is { } bytes ? JsonNode.Parse(bytes) : null;
    }

    /// <summary>Numbers of a JSON tree by dotted path: correlation.mean, ...</summary>
    static Dictionary<string, double> Numbers(JsonNode? node)
    {
        var numbers = new Dictionary<string, double>();
        Walk(node, "");
        return numbers;

        void Walk(JsonNode? at, string path)
        {
            if (at is JsonObject branch)
            {
                foreach (var (key, child) in branch)
                    Walk(child, path.Length == 0 ? key : $"{path}.{key}");
            }
            else if (at is JsonValue value && double.TryParse(value.ToString(), CultureInfo.InvariantCulture, out var number))
                numbers[path] = number;
        }
    }
}
