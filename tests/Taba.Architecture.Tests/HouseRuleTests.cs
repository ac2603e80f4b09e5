using System.Text.RegularExpressions;

namespace Taba.Architecture.Tests;

/// <summary>Rules of the house that a reviewer should not have to repeat.</summary>
public sealed partial class HouseRuleTests
{
    const int MaxLines = 400;

    /// <summary>A file holds one thing that its name says; one that passes this length is two.</summary>
    [Theory]
    [InlineData("src")]
    [InlineData("tools")]
    [InlineData("bench")]
    [InlineData("examples")]
    public void Sources_Lengths_AreThoseOfOneThing(string under) =>
        Offenders.None(Repository.Sources(under).Where(f => Repository.Read(f).Count(c => c == '\n') > MaxLines));

    [Fact]
    public void TextFiles_PathsOfAMachine_AreNotInThem() => Offenders.None(Repository.TextFiles().Where(f => MachinePath().IsMatch(Repository.Read(f))));

    [Fact]
    public void Sources_PromisesForLater_AreNotInThem() => Offenders.None(
        Repository.Sources("src").Concat(Repository.Sources("tools")).Concat(Repository.Sources("bench")).Where(f => Unfinished().IsMatch(Repository.Read(f))));

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
        Offenders.None(Repository.Files("").Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && !solution.Contains(f, StringComparison.Ordinal)));
    }

    [Fact]
    public void Packages_Versions_AreInOnePlace() => Offenders.None(
        Repository.Files("").Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && VersionedPackage().IsMatch(Repository.Read(f))));

    [GeneratedRegex(@"(?<![\w.~])/(work|root|home/\w+|Users/\w+)/|\b[A-Z]:\\\\?Users\\", RegexOptions.CultureInvariant)]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException", RegexOptions.CultureInvariant)]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"ConfigureAwait\(false\)|\.Wait\(\)|GetAwaiter\(\)\.GetResult|Task\.Run\(|Thread\.Sleep", RegexOptions.CultureInvariant)]
    private static partial Regex LeavesTheTurn();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bnew Random\(|\bRandom\.Shared\b", RegexOptions.CultureInvariant)]
    private static partial Regex Ambient();

    [GeneratedRegex(@"<PackageReference[^>]*\sVersion=", RegexOptions.CultureInvariant)]
    private static partial Regex VersionedPackage();
}
