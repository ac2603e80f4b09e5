using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace Taba.Chart.Tests;

/// <summary>Values, their schema, the page about them and the source say the same.</summary>
public sealed partial class ValuesTests
{
    /// <summary>Settings that have a value of their own, or are the business of a pool.</summary>
    static readonly string[] s_elsewhere = ["Taba:Engine:Device"];
    static readonly string[] s_sections = ["Taba:Engine", "Taba:Worker", "Taba:Leases", "Taba:Verify", "Taba:Checkpoints", "Taba:Store"];

    static readonly JsonElement s_schema = JsonDocument.Parse(ChartFiles.Read("helm/taba/values.schema.json")).RootElement;

    [Fact]
    public void Schema_Values_AreThoseOfTheFile()
    {
        var file = new List<string>();
        Walk(Yaml("helm/taba/values.yaml"), s_schema, "", file.Add);
        Assert.Equal(Known(s_schema, "").Order(StringComparer.Ordinal), file.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Schema_Objects_NameTheirKeysOrAreFreeMaps()
    {
        var free = s_schema.GetProperty("definitions");
        Assert.Equal("object", free.GetProperty("free").GetProperty("type").GetString());
        Assert.Equal("string", free.GetProperty("strings").GetProperty("additionalProperties").GetProperty("type").GetString());
        var closed = 0;
        Visit(s_schema);
        Assert.True(closed > 30);

        void Visit(JsonElement at)
        {
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty("properties", out _) && at.TryGetProperty("type", out _))
            {
                Assert.Equal(JsonValueKind.False, at.GetProperty("additionalProperties").ValueKind);
                closed++;
            }
            if (at.ValueKind == JsonValueKind.Object)
            {
                foreach (var below in at.EnumerateObject())
                    Visit(below.Value);
            }
        }
    }

    [Fact]
    public void Schema_Settings_AreThoseThatTheSourceReads() => Assert.Equal(
        ChartFiles.SettingsOfTheSource().Where(k => s_sections.Contains(k[..k.LastIndexOf(':')])).Except(s_elsewhere)
            .Select(k => k["Taba:".Length..]).Order(StringComparer.Ordinal),
        s_schema.GetProperty("properties").GetProperty("settings").GetProperty("propertyNames").GetProperty("enum").EnumerateArray()
            .Select(e => e.GetString()!).Order(StringComparer.Ordinal));

    /// <summary>The line above a value says what it is for, or that of the map that it belongs to.</summary>
    [Fact]
    public void Values_TopLevel_HaveAComment()
    {
        var lines = ChartFiles.Read("helm/taba/values.yaml").Split('\n');
        var bare = lines.Index().Where(l => TopKey().IsMatch(l.Item) && !l.Item.EndsWith(':'))
            .Where(l => !lines[l.Index - 1].StartsWith('#') && !TopKey().IsMatch(lines[l.Index - 1])).Select(l => l.Item);
        Assert.Empty(bare);
    }

    [Fact]
    public void Page_ValuesThatItNames_Exist()
    {
        var known = Known(s_schema, "").ToHashSet();
        var named = ValueOfThePage().Matches(ChartFiles.Read("helm/taba/README.md")).SelectMany(m => Name().Matches(m.Value))
            .Select(m => m.Groups["name"].Value).ToList();
        Assert.True(named.Count > 20);
        Assert.All(
            named.Select(n => n.Replace("pools.<name>", "poolDefaults", StringComparison.Ordinal)),
            n => Assert.True(known.Contains(n) || known.Any(k => k.StartsWith(n + ".", StringComparison.Ordinal)), $"{n} is no value."));
    }

    [Fact]
    public void Chart_Version_IsThatOfTaba()
    {
        var version = Version().Match(ChartFiles.Read("Directory.Build.props")).Groups["version"].Value;
        Assert.Equal(version, Yaml("helm/taba/Chart.yaml")["appVersion"]);
    }

    /// <summary>Leaves of the schema, without keys that were removed.</summary>
    static IEnumerable<string> Known(JsonElement at, string path)
    {
        at = Resolved(at);
        if (!at.TryGetProperty("properties", out var properties))
            return [path];
        return properties.EnumerateObject()
            .Where(p => p.Name != "global" && !(p.Value.TryGetProperty("$ref", out var r) && r.GetString() == "#/definitions/removed"))
            .SelectMany(p => Known(p.Value, path.Length == 0 ? p.Name : $"{path}.{p.Name}"));
    }

    /// <summary>Values of the file down to where the schema no longer names keys.</summary>
    static void Walk(object? value, JsonElement at, string path, Action<string> found)
    {
        at = Resolved(at);
        if (value is not IDictionary<object, object?> map || !at.TryGetProperty("properties", out var properties))
        {
            found(path);
            return;
        }
        foreach (var (key, below) in map)
        {
            var name = path.Length == 0 ? $"{key}" : $"{path}.{key}";
            if (properties.TryGetProperty($"{key}", out var schema))
                Walk(below, schema, name, found);
            else
                found(name);
        }
    }

    static JsonElement Resolved(JsonElement at) => at.TryGetProperty("$ref", out var reference)
        ? s_schema.GetProperty("definitions").GetProperty(reference.GetString()!.Split('/')[^1])
        : at;

    static Dictionary<object, object?> Yaml(string file) =>
        new DeserializerBuilder().Build().Deserialize<Dictionary<object, object?>>(ChartFiles.Read(file));

    [GeneratedRegex(@"^[a-zA-Z]\w*:", RegexOptions.CultureInvariant)]
    private static partial Regex TopKey();

    [GeneratedRegex(@"^\| `[a-zA-Z].*?\|", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex ValueOfThePage();

    [GeneratedRegex("`(?<name>[a-zA-Z][\\w.<>]*)`", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex("<VersionPrefix>(?<version>[^<]+)<", RegexOptions.CultureInvariant)]
    private static partial Regex Version();
}
