namespace Taba.Testing;

/// <summary>The golden tensors of the working tree, tests/fixtures.</summary>
public static class Fixtures
{
    static readonly Lazy<string> s_lazyRoot = new(FindRoot);

    /// <summary>The folder that holds models/, schedulers/, e2e/ and so on; absolute.</summary>
    public static string Root => s_lazyRoot.Value;

    /// <summary>A file or folder below <see cref="Root"/>, given with forward slashes.</summary>
    public static string At(string relative) => Path.Combine(Root, relative.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>
    /// The cases below a folder: every folder that holds <paramref name="fileName"/>, at any depth, as a path relative to
    /// the root with forward slashes, in ordinal order. Empty when the folder is absent, so that a fixture set
    /// without a family has no cases of it.
    /// </summary>
    public static IEnumerable<string> Cases(string under, string fileName) => CasesIn(Root, under, fileName);

    /// <summary>The cases of another set of this layout.</summary>
    public static IEnumerable<string> CasesIn(string root, string under, string fileName)
    {
        var folder = Path.Combine(root, under.Replace('/', Path.DirectorySeparatorChar));
        if (!Directory.Exists(folder))
            return [];

        return Directory.EnumerateFiles(folder, fileName, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, Path.GetDirectoryName(file)!).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)
            .ToList();
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "fixtures");
            if (Directory.Exists(candidate))
                return candidate;
        }

        throw new DirectoryNotFoundException($"No tests/fixtures above {AppContext.BaseDirectory}.");
    }
}
