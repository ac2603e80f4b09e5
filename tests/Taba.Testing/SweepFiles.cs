using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Taba.Testing;

/// <summary>The files of a sweep whose bytes must not depend on what happened on the way.</summary>
public static class SweepFiles
{
    static readonly string[] s_tensorFiles = [".safetensors", ".pt", ".npy"];

    /// <summary>SHA-256 by relative path: every tensor file, and every metrics.json without the name of its own folder.</summary>
    public static SortedDictionary<string, string> Digests(string folder)
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, file);
            if (name.StartsWith(".taba", StringComparison.Ordinal))
                continue;
            if (s_tensorFiles.Contains(Path.GetExtension(file)))
                digests[name] = DigestOf(file);
            else if (Path.GetFileName(file) == "metrics.json")
                digests[name] = Convert.ToHexStringLower(SHA256.HashData(Metrics(file)));
        }
        return digests;
    }

    /// <summary>What differs between two folders, a line each; empty when nothing does.</summary>
    public static IReadOnlyList<string> Differences(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual) =>
    [
        .. expected.Keys.Except(actual.Keys).Select(name => $"{name} is missing"),
        .. actual.Keys.Except(expected.Keys).Select(name => $"{name} is too much"),
        .. expected.Where(e => actual.TryGetValue(e.Key, out var other) && other != e.Value).Select(e => $"{e.Key} differs"),
    ];

    static string DigestOf(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    static byte[] Metrics(string file)
    {
        var metrics = JsonNode.Parse(File.ReadAllBytes(file))!;
        metrics["_params"]!.AsObject().Remove("output_dir");
        return Encoding.UTF8.GetBytes(metrics.ToJsonString());
    }
}
