namespace Taba.Architecture.Tests;

/// <summary>The working tree as text.</summary>
static class Repository
{
    static readonly string[] s_generated =
        ["bin", "obj", ".git", ".vs", ".idea", "TestResults", "experiments", "out", ".taba", "node_modules"];
    static readonly string[] s_textExtensions =
        [".cs", ".csproj", ".props", ".targets", ".sln", ".json", ".yaml", ".yml", ".md", ".sh", ".py", ".txt", ".config", ".editorconfig",
        ""];

    public static string Root { get; } = FindRoot();

    /// <summary>Files below a folder, as paths relative to the root with forward slashes; nothing that is built or fetched.</summary>
    public static IEnumerable<string> Files(string under) => Walk(new DirectoryInfo(At(under)))
        .Select(f => Path.GetRelativePath(Root, f.FullName).Replace('\\', '/')).Order(StringComparer.Ordinal);

    public static IEnumerable<string> Sources(string under) => Files(under).Where(f => f.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>Files that a person writes; the golden tensors' descriptions are not.</summary>
    public static IEnumerable<string> TextFiles() => Files("")
        .Where(f => s_textExtensions.Contains(Path.GetExtension(f)) && !f.StartsWith("tests/fixtures/", StringComparison.Ordinal));

    /// <summary>Folders right below a folder, by name.</summary>
    public static IEnumerable<string> Folders(string under) => new DirectoryInfo(At(under)).EnumerateDirectories()
        .Select(d => d.Name).Where(n => !s_generated.Contains(n)).Order(StringComparer.Ordinal);

    public static string At(string relative) => Path.Combine(Root, relative.Replace('/', Path.DirectorySeparatorChar));

    public static string Read(string relative) => File.ReadAllText(At(relative));

    static IEnumerable<FileInfo> Walk(DirectoryInfo folder)
    {
        foreach (var file in folder.EnumerateFiles())
            yield return file;
        foreach (var file in folder.EnumerateDirectories().Where(d => !s_generated.Contains(d.Name) && d.LinkTarget is null).SelectMany(
            Walk))
            yield return file;
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Taba.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException(
            $"Taba.sln is not above {AppContext.BaseDirectory}: the architecture tests read the working tree.");
    }
}
