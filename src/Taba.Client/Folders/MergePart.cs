using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Grains;
using Taba.Silo.Outputs;

namespace Taba.Client.Folders;

/// <summary>One part of a run that n_parts cut: a folder of ours, or of upstream's.</summary>
/// <param name="Manifest">Null in upstream's folders.</param>
/// <param name="Parameters">What metrics.json says of the run; null when there is none.</param>
sealed record MergePart(string Folder, RunFolder? Manifest, JsonObject? Parameters, IReadOnlyDictionary<string, string> Files)
{
    public int? NParts => Number("n_parts");

    public int? PartIdx => Number("part_idx");

    /// <exception cref="BadInputException">The folder is no part.</exception>
    public static MergePart Read(string folder)
    {
        var files = TensorFiles.In(folder).ToDictionary(f => f.Key, f => f.Value);
        try
        {
            var part = new MergePart(folder, RunFolder.Read(folder), ParametersOf(Path.Combine(folder, RunFolder.MetricsName)), files);
            return part.Manifest is null && part.PartIdx is null
                ? throw new BadInputException(
                    $"{folder} has neither manifest.json nor a part_idx in metrics.json: it cannot be told which part it is.")
                : part;
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            throw new BadInputException($"The part {folder} cannot be read: {e.Message}", e);
        }
    }

    static JsonObject? ParametersOf(string path) =>
        File.Exists(path) ? PythonJson.Read(File.ReadAllBytes(path))["_params"] as JsonObject : null;

    int? Number(string key) => Parameters?[key] is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
}
