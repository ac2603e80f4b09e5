using System.Security.Cryptography;
using System.Text.Json;

namespace Taba.Testing;

/// <summary>What the manifests of a store's folder say, read without the code under test.</summary>
public static class StoreManifests
{
    /// <summary>Published rows as (stage key, row).</summary>
    public static HashSet<(string Stage, int Row)> Rows(string store)
    {
        var rows = new HashSet<(string, int)>();
        foreach (var (_, manifest) in Published(store))
        {
            foreach (var row in RowsOf(manifest))
                rows.Add((StageOf(manifest), row));
        }
        return rows;
    }

    /// <summary>What is wrong with a store, a line each: rows that two manifests claim, bytes that do not have their digest.</summary>
    public static IReadOnlyList<string> Faults(string store)
    {
        var faults = new List<string>();
        var claimed = new Dictionary<(string, int), string>();
        foreach (var (cell, root) in Published(store))
        {
            var name = Path.GetRelativePath(store, cell);
            if (!root.GetProperty("supplement").GetBoolean())
            {
                foreach (var row in RowsOf(root))
                {
                    if (!claimed.TryAdd((StageOf(root), row), name))
                        faults.Add($"row {row} of {StageOf(root)} is published by {claimed[(StageOf(root), row)]} and by {name}");
                }
            }
            faults.AddRange(root.GetProperty("objects").EnumerateArray().Where(o => !HasItsDigest(store, o)).Select(
                o => $"{o.GetProperty("path")} of {name} does not have its digest"));
        }
        return faults;
    }

    /// <summary>The versions of all cells, the older ones too.</summary>
    public static IReadOnlyList<string> Versions(string store) => Files(store, "cells", "*.json");

    public static IReadOnlyList<string> Objects(string store) => Files(store, "objects", "*.safetensors");

    /// <summary>What the newest version of each cell names.</summary>
    static IEnumerable<(string Cell, JsonElement Manifest)> Published(string store)
    {
        foreach (var cell in Versions(store).GroupBy(f => Path.GetDirectoryName(f)!))
        {
            var newest = cell.Max(StringComparer.Ordinal)!;
            foreach (var manifest in JsonDocument.Parse(File.ReadAllBytes(newest)).RootElement.GetProperty("manifests").EnumerateArray())
                yield return (newest, manifest);
        }
    }

    static string StageOf(JsonElement manifest) => manifest.GetProperty("stage_key").GetString()!;

    static IEnumerable<int> RowsOf(JsonElement manifest)
    {
        var start = manifest.GetProperty("row_start").GetInt32();
        return Enumerable.Range(start, manifest.GetProperty("row_end").GetInt32() - start);
    }

    static bool HasItsDigest(string store, JsonElement entry)
    {
        var file = Path.Combine(store, entry.GetProperty("path").GetString()!);
        if (!File.Exists(file))
            return false;
        using var stream = File.OpenRead(file);
        stream.Position = entry.GetProperty("data_offset").GetInt64();
        var bytes = new byte[entry.GetProperty("bytes").GetInt64()];
        return stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length
            && Convert.ToHexStringLower(SHA256.HashData(bytes)) == entry.GetProperty("sha256").GetString();
    }

    static List<string> Files(string store, string kind, string pattern)
    {
        var stages = Path.Combine(store, "stages");
        if (!Directory.Exists(stages))
            return [];
        return [.. Directory.EnumerateDirectories(stages)
            .Select(stage => Path.Combine(stage, kind))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Where(file => !Path.GetFileName(file).StartsWith('.'))];
    }
}
