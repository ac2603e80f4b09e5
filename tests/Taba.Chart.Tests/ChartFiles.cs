using System.Text.RegularExpressions;

namespace Taba.Chart.Tests;

/// <summary>The chart, and what else of the working tree these tests read.</summary>
static partial class ChartFiles
{
    public static string Root { get; } = FindRoot();

    public static string Chart => At("helm/taba");

    public static IEnumerable<string> CiNames =>
        Directory.GetFiles(At("helm/taba/ci"), "*-values.yaml").Select(f => Path.GetFileName(f)[..^"-values.yaml".Length])
            .Order(StringComparer.Ordinal);

    public static string At(string relative) => Path.Combine(Root, relative);

    public static string Read(string relative) => File.ReadAllText(At(relative));

    public static string CiFile(string name) => At($"helm/taba/ci/{name}-values.yaml");

    /// <summary>Settings that classes of the source read, as "Taba:Section:Property"; of a cluster "Taba:Clusters:Property".</summary>
    public static HashSet<string> SettingsOfTheSource()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(At("src"), "*.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            if (Section().Match(text) is not { Success: true } section)
                continue;
            foreach (Match property in Property().Matches(text))
            {
                var key = $"{section.Groups["name"].Value}:{property.Groups["name"].Value}";
                // Settings within settings have a class beside or below.
                var within = property.Groups["type"].Value is var type && type.EndsWith("Settings", StringComparison.Ordinal)
                    ? Property().Matches(Read(Directory.GetFiles(At("src"), $"{type}.cs", SearchOption.AllDirectories).Single()))
                    : null;
                found.UnionWith(within?.Select(p => $"{key}:{p.Groups["name"].Value}") ?? [key]);
            }
        }
        return found;
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Taba.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"Taba.sln is not above {AppContext.BaseDirectory}: these tests read the working tree.");
    }

    [GeneratedRegex("const string Section = \"(?<name>Taba:[A-Za-z:]+)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Section();

    [GeneratedRegex(@"\bpublic (required )?(?<type>[\w?<>,. ]+) (?<name>[A-Z]\w*) \{ get; (set|init); \}", RegexOptions.CultureInvariant)]
    private static partial Regex Property();
}
