namespace Taba.Testing;

/// <summary>Finds the golden tensors: the folder that TABA_FIXTURES names, or tests/fixtures of the working tree.</summary>
public static class Fixtures
{
    const string Variable = "TABA_FIXTURES";

    static readonly Lazy<string> LazyRoot = new(FindRoot);

    /// <summary>The folder that holds models/, schedulers/, e2e/ and so on; absolute.</summary>
    public static string Root => LazyRoot.Value;

    /// <summary>A file or folder below <see cref="Root"/>, given with forward slashes.</summary>
    public static string At(string relative) => Path.Combine(Root, relative.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>
    /// The cases below a folder: every folder that holds <paramref name="fileName"/>, at any depth, as a path relative to
    /// <see cref="Root"/> with forward slashes, in ordinal order. Empty when the folder is absent, so that a fixture set
    /// without a family has no cases of it.
    /// </summary>
    public static IEnumerable<string> Cases(string under, string fileName)
    {
        var folder = At(under);
        if (!Directory.Exists(folder))
            return [];

        return Directory.EnumerateFiles(folder, fileName, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, Path.GetDirectoryName(file)!).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)
            .ToList();
    }

    static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            return Directory.Exists(given)
                ? Path.GetFullPath(given)
                : throw new DirectoryNotFoundException($"{Variable} names {given}, which is not a folder.");
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "fixtures");
            if (Directory.Exists(candidate))
                return candidate;
        }

        throw new DirectoryNotFoundException($"No tests/fixtures above {AppContext.BaseDirectory}; set {Variable} to the folder that holds them.");
    }
}
