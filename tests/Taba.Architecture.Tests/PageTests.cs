using System.Text.RegularExpressions;

namespace Taba.Architecture.Tests;

/// <summary>Pages stay true where a machine can see it: links lead somewhere, cited sections exist, lines fit a diff.</summary>
public sealed partial class PageTests
{
    const int MaxColumns = 120;

    [Fact]
    public void Pages_LinksToFiles_LeadSomewhere() => Offenders.None(
        from page in Pages()
        from Match link in Link().Matches(Repository.Read(page))
        let target = link.Groups["target"].Value.Split('#')[0]
        where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
        where !Path.Exists(Path.Combine(Path.GetDirectoryName(Repository.At(page))!, target))
        select $"{page}: {target}");

    [Fact]
    public void Sources_PagesThatTheyCite_Exist() => Offenders.None(
        from file in Citing()
        from Match cited in CitedPage().Matches(Repository.Read(file))
        where !File.Exists(Repository.At(cited.Value))
        select $"{file}: {cited.Value}");

    /// <summary>A citation is written "docs/upstream.md, section 7.1", and the page has a heading "7.1".</summary>
    [Fact]
    public void Sources_SectionsThatTheyCite_AreHeadingsOfThePage() => Offenders.None(
        from file in Citing()
        from Match cited in CitedSection().Matches(Repository.Read(file))
        where !Sections(cited.Groups["page"].Value).Contains(cited.Groups["section"].Value)
        select $"{file}: {cited.Value}");

    [Fact]
    public void UpstreamPage_SectionsThatItNames_AreItsOwnHeadings()
    {
        const string Page = "docs/upstream.md";
        var sections = Sections(Page);
        Assert.NotEmpty(sections);
        Offenders.None(OwnSection().Matches(Repository.Read(Page)).Select(m => m.Groups["section"].Value).Except(sections));
    }

    /// <summary>The last column of a word's line names types, or folders, where the word lives.</summary>
    [Fact]
    public void Words_TypesAndFoldersThatTheyName_AreInTheSource()
    {
        var types = Citing().SelectMany(f => DeclaredType().Matches(Repository.Read(f))).Select(m => m.Groups["type"].Value).ToHashSet();
        Offenders.None(
            from line in Repository.Read("docs/words.md").Split('\n')
            where line.StartsWith('|')
            from Match named in Named().Matches(line.Split('|')[^2])
            let name = named.Groups["name"].Value
            where name.Contains('/', StringComparison.Ordinal)
                ? !Path.Exists(Repository.At(name))
                : char.IsUpper(name[0]) && !types.Contains(name)
            select name);
    }

    /// <summary>A type that is renamed is renamed on the pages too. Decisions and logs are of their day.</summary>
    [Fact]
    public void Pages_NamesOfCode_AreInTheSource()
    {
        var code = Repository.TextFiles().Where(f => Path.GetExtension(f) is ".cs" or ".csproj" or ".props");
        var source = string.Join('\n', code.Select(Repository.Read));
        Offenders.None(
            from page in Pages()
            where !page.StartsWith("docs/adr/", StringComparison.Ordinal) && page is not ("CHANGELOG.md" or "docs/benchmarks-log.md")
            from Match named in Named().Matches(Repository.Read(page))
            from Match word in CompoundWord().Matches(named.Groups["name"].Value)
            where !source.Contains(word.Value, StringComparison.Ordinal)
            select $"{page}: {word.Value}");
    }

    /// <summary>Prose is wrapped. Tables, code and pictures are as wide as they are, and a link cannot be cut.</summary>
    [Fact]
    public void Pages_LinesOfProse_EndAtTheMargin() => Offenders.None(
        from page in Pages()
        from line in Prose(Repository.Read(page))
        where line.Text.EnumerateRunes().Count() > MaxColumns && line.Text.Trim().Contains(' ', StringComparison.Ordinal)
        select $"{page}:{line.Number}");

    static IEnumerable<string> Pages() => Repository.TextFiles().Where(f => f.EndsWith(".md", StringComparison.Ordinal));

    static IEnumerable<string> Citing() => Repository.TextFiles().Where(f => f.EndsWith(".cs", StringComparison.Ordinal));

    static HashSet<string> Sections(string page) =>
        [.. Repository.Read(page).Split('\n').Select(l => Heading().Match(l)).Where(m => m.Success).Select(m => m.Groups["section"].Value)];

    static IEnumerable<(int Number, string Text)> Prose(string page)
    {
        var code = false;
        foreach (var (index, line) in page.Split('\n').Index())
        {
            var text = line.TrimStart();
            if (text.StartsWith("```", StringComparison.Ordinal))
                code = !code;
            else if (!code && !text.StartsWith('|') && !text.StartsWith("![", StringComparison.Ordinal))
                yield return (index + 1, line.TrimEnd('\r'));
        }
    }

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex(@"\bdocs/[\w/-]+\.md\b", RegexOptions.CultureInvariant)]
    private static partial Regex CitedPage();

    [GeneratedRegex(@"\b(?<page>docs/[\w/-]+\.md), sections? (?<section>\d+(\.\d+)*)", RegexOptions.CultureInvariant)]
    private static partial Regex CitedSection();

    [GeneratedRegex(@"\b[Ss]ection (?<section>\d+(\.\d+)*)", RegexOptions.CultureInvariant)]
    private static partial Regex OwnSection();

    [GeneratedRegex(@"\b(class|record|struct|interface|enum) (?<type>[A-Z]\w*)", RegexOptions.CultureInvariant)]
    private static partial Regex DeclaredType();

    [GeneratedRegex(@"\b[A-Z][a-z]+[A-Z]\w+\b", RegexOptions.CultureInvariant)]
    private static partial Regex CompoundWord();

    [GeneratedRegex("`(?<name>[^`\n]+)`", RegexOptions.CultureInvariant)]
    private static partial Regex Named();

    [GeneratedRegex(@"^##+ (?<section>\d+(\.\d+)*)\.? ", RegexOptions.CultureInvariant)]
    private static partial Regex Heading();
}
