using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace Taba.Monitoring.Tests;

/// <summary>An alert as the rule file has it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Expression">When it holds.</param>
/// <param name="For">How long it must hold; null where the file does not say.</param>
/// <param name="Labels">What routes it.</param>
/// <param name="Annotations">What a person reads.</param>
sealed record Alert(
    string Name,
    string Expression,
    string? For,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Annotations);

/// <summary>A test of a rule: an alert, looked at once.</summary>
/// <param name="File">The file that it stands in.</param>
/// <param name="Name">The name of the test.</param>
/// <param name="Alert">The alert that is looked at.</param>
/// <param name="Fires">Whether it is expected to fire.</param>
sealed record RuleTest(string File, string Name, string Alert, bool Fires);

/// <summary>Rules, their tests, the dashboard and the guide, read from the working tree.</summary>
static partial class MonitoringFiles
{
    public const string Guide = "docs/guide/operate.md";

    static readonly IDeserializer s_yaml = new DeserializerBuilder().Build();

    public static string Root { get; } = FindRoot();

    public static string Rules => At("helm/taba/files/rules/taba.yaml");

    public static string Dashboard => At("helm/taba/files/dashboards/taba.json");

    public static IEnumerable<string> RuleTestFiles => Directory.EnumerateFiles(
        At("tests/Taba.Monitoring.Tests/Rules"), "*.test.yaml").Order(StringComparer.Ordinal);

    public static string At(string relative) => Path.Combine(Root, relative);

    public static IEnumerable<Alert> Alerts() =>
        from rule in Rows(File.ReadAllText(Rules), "groups").SelectMany(g => Rows(g, "rules"))
        select new Alert(
            Text(rule, "alert")!, Text(rule, "expr")!, Text(rule, "for"), Texts(rule, "labels"), Texts(rule, "annotations"));

    public static IEnumerable<RuleTest> RuleTests() =>
        from file in RuleTestFiles
        from test in Rows(File.ReadAllText(file), "tests")
        from look in Rows(test, "alert_rule_test")
        let expected = look.GetValueOrDefault("exp_alerts") as List<object>
        select new RuleTest(Path.GetFileName(file), Text(test, "name")!, Text(look, "alertname")!, expected is { Count: > 0 });

    /// <summary>Panels, those that lie in a row among them.</summary>
    public static IEnumerable<JsonElement> Panels()
    {
        using var dashboard = ReadDashboard();
        return [.. Panels(dashboard.RootElement).Select(p => p.Clone())];
    }

    public static JsonDocument ReadDashboard() => JsonDocument.Parse(File.ReadAllText(Dashboard));

    /// <summary>What panels and variables ask Prometheus, by where it stands.</summary>
    public static IEnumerable<(string Where, string Expression)> Expressions()
    {
        foreach (var panel in Panels())
        {
            foreach (var (target, index) in panel.GetProperty("targets").EnumerateArray().Select((t, i) => (t, i)))
                yield return ($"{panel.GetProperty("title").GetString()}, {index}", target.GetProperty("expr").GetString()!);
        }
        using var dashboard = ReadDashboard();
        foreach (var variable in dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray())
        {
            if (variable.GetProperty("type").GetString() == "query")
                yield return (variable.GetProperty("name").GetString()!, LabelValues().Match(
                    variable.GetProperty("query").GetProperty("query").GetString()!).Groups["expression"].Value);
        }
    }

    /// <summary>An expression of the dashboard as Grafana would send it.</summary>
    public static string Filled(string expression) => Variable().Replace(
        expression, v => v.Groups["name"].Value switch
        {
            "__rate_interval" or "__interval" or "interval" => "5m",
            "__range" => "6h",
            _ => "word",
        });

    /// <summary>Names of series in an expression: words that are no label, function, keyword or text.</summary>
    public static IEnumerable<string> Metrics(string expression) =>
        Metric().Matches(Selector().Replace(Quoted().Replace(expression, "\"\""), "").Replace("\n", " ", StringComparison.Ordinal))
            .Select(m => m.Value).Distinct();

    public static IReadOnlySet<string> ExportedMetrics() => Lines("metrics.txt").ToHashSet();

    /// <summary>Series as two silos of one cluster export them, which Prometheus has given its own labels.</summary>
    public static IEnumerable<string> SeriesOfTwoSilos() =>
        from instance in new[] { "a:9464", "b:9464" }
        from series in Lines("series.txt")
        let parts = series.TrimEnd('}').Split('{')
        let labels = string.Join(", ", [$"namespace=\"word\", job=\"word\", instance=\"{instance}\"", .. parts.Skip(1)])
        select $"{parts[0]}{{{labels}}}";

    /// <summary>Anchors of the guide's headings, as the pages of a repository make them.</summary>
    public static IReadOnlySet<string> Anchors() => File.ReadLines(At(Guide)).Where(l => l.StartsWith('#'))
        .Select(l => NotOfAnchors().Replace(l.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-')).ToHashSet();

    static IEnumerable<string> Lines(string name) =>
        File.ReadLines(At($"tests/Taba.Monitoring.Tests/{name}")).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#');

    static IEnumerable<JsonElement> Panels(JsonElement holder) => holder.TryGetProperty("panels", out var panels)
        ? panels.EnumerateArray().SelectMany(p => p.GetProperty("type").GetString() == "row" ? Panels(p) : [p])
        : [];

    static IEnumerable<Dictionary<object, object>> Rows(string yaml, string key) =>
        Rows(s_yaml.Deserialize<Dictionary<object, object>>(yaml), key);

    static IEnumerable<Dictionary<object, object>> Rows(Dictionary<object, object> holder, string key) =>
        ((List<object>)holder[key]).Cast<Dictionary<object, object>>();

    static string? Text(Dictionary<object, object> holder, string key) => holder.GetValueOrDefault(key) as string;

    static Dictionary<string, string> Texts(Dictionary<object, object> holder, string key) =>
        holder.TryGetValue(key, out var found)
            ? ((Dictionary<object, object>)found).ToDictionary(p => (string)p.Key, p => (string)p.Value)
            : [];

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Taba.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"Taba.sln is not above {AppContext.BaseDirectory}: these tests read the working tree.");
    }

    [GeneratedRegex(@"^label_values\((?<expression>.+), *\w+\)$", RegexOptions.CultureInvariant)]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"\$\{?(?<name>\w+)(:\w+)?\}?", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    [GeneratedRegex("\"[^\"]*\"", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    /// <summary>Label matchers, and the lists of labels after by, without, on, ignoring and group_left.</summary>
    [GeneratedRegex(@"\{[^}]*\}|\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)", RegexOptions.CultureInvariant)]
    private static partial Regex Selector();

    /// <summary>Every metric has an underscore, and no keyword has; a function is followed by its arguments.</summary>
    [GeneratedRegex(@"(?<![\w.$:])[a-zA-Z:]+_[\w:]*\b(?! *\()", RegexOptions.CultureInvariant)]
    private static partial Regex Metric();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.CultureInvariant)]
    private static partial Regex NotOfAnchors();
}
