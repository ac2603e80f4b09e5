using System.Text.RegularExpressions;
using Taba.Testing;

namespace Taba.Monitoring.Tests;

/// <summary>The alerts that the chart ships: what they must say, and that they do what their tests expect.</summary>
public sealed partial class RuleFileTests
{
    static readonly string[] s_severities = ["warning", "critical"];

    public static TheoryData<string> AlertNames => [.. MonitoringFiles.Alerts().Select(a => a.Name)];

    public static TheoryData<string> TestFiles => [.. MonitoringFiles.RuleTestFiles.Select(f => Path.GetFileName(f))];

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task RuleFile_AsItStands_IsTakenByPromtool()
    {
        var (status, said) = await Promtool.RunAsync("check", "rules", MonitoringFiles.Rules);
        Assert.True(status == 0 && said.Contains("7 rules found", StringComparison.Ordinal), said);
    }

    [Theory]
    [MemberData(nameof(TestFiles))]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task RuleTests_OfEachFile_HoldInPromtool(string file)
    {
        var (status, said) = await Promtool.RunAsync("test", "rules", MonitoringFiles.At($"tests/Taba.Monitoring.Tests/Rules/{file}"));
        Assert.True(status == 0, said);
    }

    /// <summary>Rules that nothing can break would test nothing: each is altered so that it means something else.</summary>
    [Theory]
    [InlineData("work-waits-device-idle", "> 0.1\n", "> 1000\n")]
    [InlineData("work-waits-device-idle", "(taba_work_waiting) > 0", "(taba_work_waiting) > -1")]
    [InlineData("work-waits-device-idle", "taba_role=\"worker\"", "taba_role!=\"\"")]
    [InlineData("nothing-published", "unless last_over_time(taba_row_published_total[1d] offset 5m)", "unless taba_row_published_total")]
    [InlineData("leases-expire", "[1d] offset 15m", "[1m] offset 15m")]
    [InlineData("leases-expire", "floor(", "(")]
    [InlineData("leases-expire", "taba_outcome=\"expired\"", "taba_outcome=~\"expired|silo_lost\"")]
    [InlineData("checkpoints-behind", "> 3\n", "> 2\n")]
    [InlineData("checkpoints-behind", "for: 5m", "for: 1m")]
    [InlineData("non-finite-samples", "error_type=\"NonFinite\"", "error_type!=\"\"")]
    [InlineData("non-finite-samples", "100\n", "1\n")]
    [InlineData("store-fills-up", "and deriv(taba_store_free_bytes[15m]) < 0", "")]
    [InlineData("store-fills-up", "and taba_store_free_bytes offset 30m", "")]
    [InlineData("store-fills-up", "or taba_store_free_bytes < 268435456", "")]
    [InlineData("silo-restarts", ">= 3", ">= 2")]
    [InlineData("silo-restarts", "[1h]", "[3h]")]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task RuleTests_OfAnAlteredRule_Fail(string tests, string text, string instead)
    {
        var stop = TestContext.Current.CancellationToken;
        var rules = await File.ReadAllTextAsync(MonitoringFiles.Rules, stop);
        Assert.Contains(text, rules, StringComparison.Ordinal);
        using var folder = new TempFolder();
        var altered = Path.Combine(folder.Path, "taba.yaml");
        await File.WriteAllTextAsync(altered, rules.Replace(text, instead, StringComparison.Ordinal), stop);
        var test = await File.ReadAllTextAsync(MonitoringFiles.At($"tests/Taba.Monitoring.Tests/Rules/{tests}.test.yaml"), stop);
        var beside = Path.Combine(folder.Path, "altered.test.yaml");
        await File.WriteAllTextAsync(beside, RuleFile().Replace(test, $"  - {altered}", 1), stop);

        Assert.Equal(0, (await Promtool.RunAsync("check", "rules", altered)).Status);
        Assert.NotEqual(0, (await Promtool.RunAsync("test", "rules", beside)).Status);
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Promtool_AFunctionThatIsNone_IsRefused()
    {
        var (status, said) = await Promtool.CheckExpressionsAsync(["sum(taba_work_waiting)", "sums(taba_work_waiting)"]);
        Assert.NotEqual(0, status);
        Assert.Contains("sums", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Alerts_OfTheFile_AreSevenWithNamesOfTheirOwn() =>
        Assert.Equal(7, MonitoringFiles.Alerts().Select(a => a.Name).Distinct().Count());

    [Theory]
    [MemberData(nameof(AlertNames))]
    public void Alert_ForWhoeverReadsIt_SaysWhatAndHowBadAndWhatToDo(string name)
    {
        var alert = Named(name);
        Assert.Matches(@"^[1-9]\d*[smh]$", alert.For ?? "");
        Assert.Contains(alert.Labels.GetValueOrDefault("severity"), s_severities);
        Assert.NotEmpty(alert.Annotations.GetValueOrDefault("summary") ?? "");
        Assert.Contains("First: ", alert.Annotations.GetValueOrDefault("description") ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AlertNames))]
    public void Alert_ItsRunbook_IsASectionOfTheGuideThatNamesIt(string name)
    {
        var link = Named(name).Annotations["runbook_url"].Split('#');
        Assert.Equal(MonitoringFiles.Guide, link[0]);
        Assert.Contains(link[1], MonitoringFiles.Anchors());
        Assert.Contains(name, File.ReadAllText(MonitoringFiles.At(MonitoringFiles.Guide)), StringComparison.Ordinal);
    }

    /// <summary>"the panel "X"" and "the panels "X" and "Y"" name panels of the dashboard.</summary>
    [Theory]
    [MemberData(nameof(AlertNames))]
    public void Alert_PanelsThatItNames_AreOnTheDashboard(string name)
    {
        var titles = MonitoringFiles.Panels().Select(p => p.GetProperty("title").GetString());
        Assert.Empty(Quoted().Matches(Named(name).Annotations["description"]).Select(m => m.Groups["title"].Value).Except(titles));
    }

    [Theory]
    [MemberData(nameof(AlertNames))]
    public void Alert_ItsTests_AreOneThatFiresAndOneThatStaysQuiet(string name)
    {
        var tests = MonitoringFiles.RuleTests().Where(t => t.Alert == name).ToList();
        Assert.Contains(tests, t => t.Fires);
        Assert.Contains(tests.GroupBy(t => t.Name), test => test.All(t => !t.Fires));
    }

    [Fact]
    public void RuleTests_AlertsThatTheyName_AreInTheFile() =>
        Assert.Empty(MonitoringFiles.RuleTests().Select(t => t.Alert).Except(MonitoringFiles.Alerts().Select(a => a.Name)));

    [Theory]
    [MemberData(nameof(AlertNames))]
    public void Alert_SeriesThatItNames_AreExported(string name)
    {
        var named = MonitoringFiles.Metrics(Named(name).Expression).ToList();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(MonitoringFiles.ExportedMetrics()));
    }

    static Alert Named(string name) => MonitoringFiles.Alerts().Single(a => a.Name == name);

    [GeneratedRegex("""
        "(?<title>[^"]+)"
        """, RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"  - \S+taba\.yaml", RegexOptions.CultureInvariant)]
    private static partial Regex RuleFile();
}
