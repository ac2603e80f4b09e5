using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Uncertainty;
using Taba.Grains;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Reports;

/// <summary>A run folder as the report sees it: its manifest, its metrics, its parameters.</summary>
/// <param name="Manifest">Of upstream's folders, which have none, what their files tell.</param>
sealed record ReportRun(
    OutputFolder Folder, RunFolder Manifest, IReadOnlyDictionary<string, double> Metrics, IReadOnlyDictionary<string, string> Parameters)
{
    const int MaxJsonBytes = 16 << 20;

    /// <summary>Reads a folder; null when it holds no run.</summary>
    /// <param name="below">The folder's path below the report's.</param>
    /// <param name="ours">Folders without a manifest are unfinished ones of ours, and none of upstream's.</param>
    /// <exception cref="BadInputException">It holds one that cannot be read.</exception>
    public static ReportRun? Read(OutputFolder folder, string below = "", bool ours = false)
    {
        try
        {
            var manifest = RunFolder.Read(folder);
            if (manifest is null && (ours || !UpstreamFolder.Is(folder)))
                return null;
            var json = JsonOf(folder);
            var parameters = (json?["_params"] as JsonObject)?.ToDictionary(p => p.Key, p => p.Value?.ToString() ?? "null") ?? [];
            return manifest is null
                ? UpstreamFolder.Read(folder, parameters, json?["metrics"] as JsonObject) with { Below = below }
                : new(
                    folder, manifest, Numbers(json?["metrics"]).Concat(Numbers(json?["analyses"])).DistinctBy(n => n.Key).ToDictionary(),
                    parameters)
                {
                    Below = below,
                    Intervals = RunInterval.Of(json?["intervals"] as JsonObject),
                };
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new BadInputException($"The run folder {folder.Place} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Rows.</summary>
    public int Samples => Manifest.RowEnd - Manifest.RowStart;

    /// <summary>What replaced its first steps; null for the plain run.</summary>
    public RunIntervention? Intervention => Manifest.InterventionFields ?? RunSettings.Of(Parameters);

    /// <summary>The folder's path below the report's; empty for the report of one run.</summary>
    public string Below { get; init; } = "";

    /// <summary>Network evaluations of its stages; null when unknown.</summary>
    public long? Evaluations => Manifest.Stages.IsEmpty ? null : Manifest.Stages.Sum(s => s.Evaluations);

    /// <summary>Seconds of computing behind its evaluations; null when unknown.</summary>
    public double? Seconds => Manifest.Stages.IsEmpty ? null : RunStage.SecondsOf(Manifest.Stages);

    public double? Metric(string key) => Metrics.TryGetValue(key, out var value) ? value : null;

    /// <summary>By the metric's path; empty in folders of earlier versions, and below 32 samples.</summary>
    public IReadOnlyDictionary<string, RunInterval> Intervals { get; init; } = new Dictionary<string, RunInterval>();

    public Interval? Interval(string key) => Intervals.GetValueOrDefault(key)?.Interval;

    public string Axis(string name) => Manifest.Axes.GetValueOrDefault(name, "");

    /// <summary>Numbers of a JSON tree by dotted path: correlation.mean, ...</summary>
    public static Dictionary<string, double> Numbers(JsonNode? node)
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
            else if (at is JsonValue value
                // A number in memory may be none that JSON could say.
                && (value.TryGetValue<double>(out var number)
                    || double.TryParse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number)))
            {
                numbers[path] = number;
            }
        }
    }

    static JsonObject? JsonOf(OutputFolder folder)
    {
        if (folder.Length(RunFolder.MetricsName) > MaxJsonBytes)
            throw new InvalidDataException($"{folder.Place}/{RunFolder.MetricsName} is larger than any metrics.json.");
        return folder.Read(RunFolder.MetricsName) is { } bytes ? PythonJson.Read(bytes) : null;
    }
}
