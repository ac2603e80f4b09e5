using System.Text.RegularExpressions;

namespace Taba.Architecture.Tests;

/// <summary>Rules of the house that a reviewer should not have to repeat.</summary>
public sealed partial class HouseRuleTests
{
    const int MaxLines = 400;
    const int MaxColumns = 140;

    /// <summary>Types that a change of the store's design will replace; they must not grow in number.</summary>
    static readonly string[] s_tooLong = ["src/Taba.Silo/Checkpoints/PartCheckpoints", "src/Taba.Silo/Storage/TensorStore"];

    public static TheoryData<string> SourceTrees => ["src", "tools", "bench", "examples"];

    /// <summary>
    /// A type holds one thing that its name says; one that passes this length is two. Its partial files (X.cs, X.Log.cs) count
    /// together.
    /// </summary>
    [Theory]
    [MemberData(nameof(SourceTrees))]
    public void Sources_LengthsOfTypes_AreThoseOfOneThing(string under) => Offenders.None(
        from file in Repository.Sources(under)
        group file by $"{Path.GetDirectoryName(file)}/{Path.GetFileName(file).Split('.')[0]}" into type
        let lines = type.Sum(file => Repository.Read(file).Count(c => c == '\n'))
        where lines > MaxLines && !s_tooLong.Contains(type.Key)
        select $"{type.Key}: {lines} lines");

    public static TheoryData<string> CodeTrees => ["src", "tools", "bench", "examples", "tests"];

    /// <summary>
    /// A line is no wider than .editorconfig says, which a screen shows whole. The text of a raw string is another language's.
    /// </summary>
    [Theory]
    [MemberData(nameof(CodeTrees))]
    public void Sources_Columns_FitAScreen(string under) => Offenders.None(
        from file in Repository.Sources(under)
        from line in WideLines(Repository.Read(file))
        select $"{file}:{line}");

    /// <summary>Folders whose names differ by case only are one folder on macOS and Windows.</summary>
    [Fact]
    public void Paths_OfTheRepository_DifferByMoreThanCase() => Offenders.None(
        from path in Repository.Files("").SelectMany(WithFolders).Distinct(StringComparer.Ordinal)
        group path by path.ToUpperInvariant() into same
        where same.Count() > 1
        select string.Join(" and ", same));

    [Fact]
    public void TextFiles_PathsOfAMachine_AreNotInThem() =>
        Offenders.None(Repository.TextFiles().Where(f => MachinePath().IsMatch(Repository.Read(f))));

    [Fact]
    public void Sources_PromisesForLater_AreNotInThem() => Offenders.None(
        Repository.Sources("src").Concat(Repository.Sources("tools")).Concat(Repository.Sources("bench")).Where(
            f => Unfinished().IsMatch(Repository.Read(f))));

    /// <summary>Inside a grain everything runs on its own scheduler, and nothing may block it.</summary>
    [Fact]
    public void Grains_Turns_NeitherBlockNorLeaveTheirScheduler() =>
        Offenders.None(Repository.Sources("src/Taba.Grains").Where(f => LeavesTheTurn().IsMatch(Repository.Read(f))));

    /// <summary>Numbers come from seeds and leases from a clock that tests can move.</summary>
    [Fact]
    public void Sources_ClockAndRandomness_AreGivenNotTaken() =>
        Offenders.None(Repository.Sources("src").Where(f => Ambient().IsMatch(Repository.Read(f))));

    [Fact]
    public void Projects_OnDisk_AreInTheSolution()
    {
        var solution = Repository.Read("Taba.sln").Replace('\\', '/');
        Offenders.None(Repository.Files("").Where(
            f => f.EndsWith(".csproj", StringComparison.Ordinal) && !solution.Contains(f, StringComparison.Ordinal)));
    }

    [Fact]
    public void Packages_Versions_AreInOnePlace() => Offenders.None(
        Repository.Files("").Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && VersionedPackage().IsMatch(Repository.Read(f))));

    [Fact]
    public void Packages_Pinned_AreWantedBySomeProject()
    {
        var projects = Repository.Files("").Where(
            f => f.EndsWith(".csproj", StringComparison.Ordinal) || f.EndsWith(".Build.props", StringComparison.Ordinal))
            .Select(Repository.Read).ToList();
        var pins = PinnedPackage().Matches(Repository.Read("Directory.Packages.props")).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(pins);
        Offenders.None(pins.Where(pin => !projects.Any(p => p.Contains($"<PackageReference Include=\"{pin}\"", StringComparison.Ordinal))));
    }

    static IEnumerable<int> WideLines(string text)
    {
        var (number, raw) = (0, false);
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (!raw && line.Length > MaxColumns)
                yield return number;
            if (line.Split("\"\"\"").Length % 2 == 0)
                raw = !raw;
        }
    }

    static IEnumerable<string> WithFolders(string path)
    {
        for (var part = path; !string.IsNullOrEmpty(part); part = Path.GetDirectoryName(part)!)
            yield return part;
    }

    [GeneratedRegex(@"(?<![\w.~])/(work|root|home/\w+|Users/\w+)/|\b[A-Z]:\\\\?Users\\", RegexOptions.CultureInvariant)]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException", RegexOptions.CultureInvariant)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"ConfigureAwait\(false\)|\.Wait\(\)|GetAwaiter\(\)\.GetResult|Task\.Run\(|Thread\.Sleep",
        RegexOptions.CultureInvariant)]
    private static partial Regex LeavesTheTurn();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bnew Random\(|\bRandom\.Shared\b", RegexOptions.CultureInvariant)]
    private static partial Regex Ambient();

    [GeneratedRegex("""<PackageVersion Include="([^"]+)" """, RegexOptions.CultureInvariant)]
    private static partial Regex PinnedPackage();

    [GeneratedRegex(@"<PackageReference[^>]*\sVersion=", RegexOptions.CultureInvariant)]
    private static partial Regex VersionedPackage();
}
