using System.Runtime.CompilerServices;

namespace Taba.Grains.Tests.Contracts;

/// <summary>
/// Snapshot files beside the tests. <c>TABA_UPDATE_GOLDEN=1</c> writes them anew; the difference is then for the reviewer.
/// </summary>
static class Golden
{
    /// <summary>Compares text with a snapshot, line by line.</summary>
    public static void Verify(string fileName, IEnumerable<string> lines)
    {
        var path = Path.Combine(Folder(), fileName);
        var actual = lines.ToList();
        if (Environment.GetEnvironmentVariable("TABA_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, string.Join('\n', actual) + "\n");
        Assert.True(File.Exists(path), $"The snapshot {fileName} is missing: run the tests with TABA_UPDATE_GOLDEN=1 and commit it.");
        Assert.Equal(File.ReadAllLines(path), actual);
    }

    /// <summary>A snapshot that nobody writes anew.</summary>
    public static string[] Lines(string fileName) => File.ReadAllLines(Path.Combine(Folder(), fileName));

    static string Folder([CallerFilePath] string path = "")
    {
        // Source paths are mapped in deterministic builds: then the working tree is above the output folder.
        if (Directory.Exists(Path.GetDirectoryName(path)))
            return Path.GetDirectoryName(path)!;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "Taba.Grains.Tests", "Contracts");
            if (Directory.Exists(candidate))
                return candidate;
        }
        throw new DirectoryNotFoundException($"tests/Taba.Grains.Tests/Contracts is not above {AppContext.BaseDirectory}.");
    }
}
