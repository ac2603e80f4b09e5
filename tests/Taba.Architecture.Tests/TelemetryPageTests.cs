using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Taba.Architecture.Tests;

/// <summary>docs/guide/telemetry.md names every instrument, span and log event that there is, and none that there is not.</summary>
public sealed partial class TelemetryPageTests
{
    static readonly string s_page = Repository.Read("docs/guide/telemetry.md");
    static readonly string s_source = string.Join('\n', Directory.EnumerateFiles(
        Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(f => !f.Contains("/obj/")).Select(File.ReadAllText));

    [Fact]
    public void Instruments_OfTheSource_AreThoseOfThePage() => Assert.Equal(
        Instruments().Matches(s_source).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal),
        Section("Instruments").SelectMany(row => Names().Matches(row.Split('|')[1]).Select(m => m.Groups[1].Value)).Order(
            StringComparer.Ordinal));

    [Fact]
    public void Spans_OfTheSource_AreThoseOfThePage() => Assert.Equal(
        Spans().Matches(s_source).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal),
        Section("Spans").SelectMany(row => Quoted().Matches(row.Split('|')[1]).Select(m => m.Groups[1].Value)).Order(
            StringComparer.Ordinal));

    [Fact]
    public void LogEvents_OfTheAssemblies_AreUniqueAndThoseOfThePage()
    {
        var ids = new[] { "Taba.Diffusion", "Taba.Grains", "Taba.Storage", "Taba.Silo", "Taba.Client" }.Select(SourceProject.Load)
            .SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public
                | BindingFlags.DeclaredOnly))
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>()
            .Select(a => a.EventId).Order().ToList();

        Assert.Equal(ids.Distinct(), ids);
        Assert.Equal(
            ids, Section("Log events").SelectMany(row => Ids().Matches(row.Split('|')[1]).Select(m => int.Parse(m.Value))).Order());
    }

    /// <summary>The rows of the tables below a heading.</summary>
    static IEnumerable<string> Section(string heading) =>
        s_page.Split("\n## ").Single(s => s.StartsWith($"{heading}\n", StringComparison.Ordinal))
        .Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|--", StringComparison.Ordinal));

    [GeneratedRegex(@"Create\w+(?:<\w+>)?\(\s*""(taba\.[a-z_.]+)""")]
    private static partial Regex Instruments();

    [GeneratedRegex(@"`(taba\.[a-z_.]+)`")]
    private static partial Regex Names();

    [GeneratedRegex(@"(?:TraceLine\.Begin|StartActivity)\(\s*""([a-z ]+)""")]
    private static partial Regex Spans();

    [GeneratedRegex("`([a-z ]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b\d{4}\b")]
    private static partial Regex Ids();
}
