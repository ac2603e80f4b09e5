using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Taba.Reliability.Tests;

/// <summary>The files of a sweep whose bytes must not depend on what happened on the way.</summary>
static class SweepOutput
{
    static readonly string[] TensorFiles = [".safetensors", ".pt", ".npy"];

    /// <summary>SHA-256 by relative path: every tensor file, and every metrics.json without the name of its own folder.</summary>
    public static SortedDictionary<string, string> Digests(string folder)
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, file);
            if (name.StartsWith(".taba", StringComparison.Ordinal))
                continue;
            if (TensorFiles.Contains(Path.GetExtension(file)))
                digests[name] = Digest(File.ReadAllBytes(file));
            else if (Path.GetFileName(file) == "metrics.json")
                digests[name] = Digest(Metrics(file));
        }
        return digests;
    }

    static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    static byte[] Metrics(string file)
    {
        var metrics = JsonNode.Parse(File.ReadAllBytes(file))!;
        metrics["_params"]!.AsObject().Remove("output_dir");
        return Encoding.UTF8.GetBytes(metrics.ToJsonString());
    }

    public static void AssertEqual(string expectedFolder, string actualFolder)
    {
        var expected = Digests(expectedFolder);
        Assert.Contains(expected.Keys, name => Path.GetFileNameWithoutExtension(name) == "samples");
        Assert.Equal(expected, Digests(actualFolder));
        AssertNothingHalfWritten(actualFolder);
    }

    /// <summary>No temporary file outlives the run that completes.</summary>
    public static void AssertNothingHalfWritten(string folder) =>
        Assert.DoesNotContain(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories), f => f.Contains(".tmp", StringComparison.Ordinal));
}
