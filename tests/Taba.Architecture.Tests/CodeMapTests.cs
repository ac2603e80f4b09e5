namespace Taba.Architecture.Tests;

/// <summary>A newcomer finds every folder on one page.</summary>
public sealed class CodeMapTests
{
    public static TheoryData<string> SourceFolders =>
        [.. Repository.Folders("src").SelectMany(
            project => Repository.Folders($"src/{project}").Select(folder => $"src/{project}/{folder}"))];

    public static TheoryData<string> OtherFolders =>
        [.. new[] { "tools", "bench", "examples" }.SelectMany(top => Repository.Folders(top).Select(folder => $"{top}/{folder}")),
        .. Repository.Folders("tests").Where(f => f != "fixtures")];

    /// <summary>A line names a folder in full, or names its project's folder and then this one alone.</summary>
    [Theory]
    [MemberData(nameof(SourceFolders))]
    public void CodeMap_FolderOfTheSource_IsNamed(string folder)
    {
        var project = folder[..folder.LastIndexOf('/')];
        var name = folder[(project.Length + 1)..];
        Assert.True(
            Lines().Any(l => l.Contains($"`{folder}`", StringComparison.Ordinal)
                || (l.Contains($"`{project}/", StringComparison.Ordinal) && l.Contains($"`{name}`", StringComparison.Ordinal))),
            $"docs/code-map.md has no line for {folder}");
    }

    [Theory]
    [MemberData(nameof(OtherFolders))]
    public void CodeMap_OtherProject_IsNamed(string folder) =>
        Assert.True(Lines().Any(l => l.Contains($"{folder}`", StringComparison.Ordinal)), $"docs/code-map.md has no line for {folder}");

    [Fact]
    public void CodeMap_FoldersThatItNames_Exist()
    {
        var named = Lines().SelectMany(l => l.Split('`')).Where(
            p => p.StartsWith("src/", StringComparison.Ordinal) || p.StartsWith("tools/", StringComparison.Ordinal)
            || p.StartsWith("bench/", StringComparison.Ordinal) || p.StartsWith("examples/", StringComparison.Ordinal));
        Offenders.None(named.Where(p => !Directory.Exists(Repository.At(p))));
    }

    static IEnumerable<string> Lines() => Repository.Read("docs/code-map.md").Split('\n').Where(l => l.StartsWith('|'));
}
