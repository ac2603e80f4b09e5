using System.Text.Json;

namespace Taba.Reliability.Tests;

/// <summary>What the manifests of a store say, read without the code under test.</summary>
static class PublishedRows
{
    /// <summary>Published rows as (stage key, row).</summary>
    public static HashSet<(string Stage, int Row)> Of(string store)
    {
        var rows = new HashSet<(string, int)>();
        foreach (var manifest in Manifests(store))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
            var root = document.RootElement;
            var stage = root.GetProperty("stage_key").GetString()!;
            for (var row = root.GetProperty("row_start").GetInt32(); row < root.GetProperty("row_end").GetInt32(); row++)
                rows.Add((stage, row));
        }
        return rows;
    }

    public static IReadOnlyList<string> Manifests(string store) => Files(store, "parts", "*.json");

    public static IReadOnlyList<string> Objects(string store) => Files(store, "objects", "*.safetensors");

    static List<string> Files(string store, string kind, string pattern)
    {
        var stages = Path.Combine(store, "store");
        if (!Directory.Exists(stages))
            return [];
        return [.. Directory.EnumerateDirectories(stages)
            .Select(stage => Path.Combine(stage, kind))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Where(file => !Path.GetFileName(file).StartsWith('.'))];
    }
}
