using System.Security.Cryptography;

namespace Taba.Reliability.Tests;

/// <summary>The files of a sweep whose bytes must not depend on what happened on the way.</summary>
static class SweepOutput
{
    static readonly string[] Kinds = [".safetensors", ".pt", ".npy", ".csv"];

    /// <summary>SHA-256 by relative path: every tensor, every metrics.json, results.csv.</summary>
    public static SortedDictionary<string, string> Digests(string folder)
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, file);
            if (!name.StartsWith(".taba", StringComparison.Ordinal) && (Kinds.Contains(Path.GetExtension(file)) || Path.GetFileName(file) == "metrics.json"))
                digests[name] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
        }
        return digests;
    }

    public static void AssertEqual(string expectedFolder, string actualFolder)
    {
        var expected = Digests(expectedFolder);
        Assert.Contains(expected.Keys, name => name.EndsWith("samples.safetensors", StringComparison.Ordinal));
        Assert.Equal(expected, Digests(actualFolder));
        AssertNothingHalfWritten(actualFolder);
    }

    /// <summary>No temporary file outlives the run that completes.</summary>
    public static void AssertNothingHalfWritten(string folder) =>
        Assert.Empty(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(f => f.Contains(".tmp", StringComparison.Ordinal)));
}
