using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>What every disturbed run must have left.</summary>
static class SweepOutput
{
    public static void AssertEqual(string expectedFolder, string actualFolder)
    {
        var expected = SweepFiles.Digests(expectedFolder);
        Assert.Contains(expected.Keys, name => Path.GetFileNameWithoutExtension(name) == "samples");
        Assert.Equal(expected, SweepFiles.Digests(actualFolder));
        AssertNothingHalfWritten(actualFolder);
    }

    /// <summary>No temporary file outlives the run that completes.</summary>
    public static void AssertNothingHalfWritten(string folder) =>
        Assert.DoesNotContain(
            Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories), f => f.Contains(".tmp", StringComparison.Ordinal));
}
