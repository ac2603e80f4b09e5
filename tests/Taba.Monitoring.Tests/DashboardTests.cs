using System.Text.Json;
using Taba.Testing;

namespace Taba.Monitoring.Tests;

/// <summary>The dashboard that the chart ships, as far as it can be looked at without Grafana.</summary>
public sealed class DashboardTests
{
    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Expressions_AllOfThem_AreTakenByPromtool()
    {
        var expressions = MonitoringFiles.Expressions().Select(e => MonitoringFiles.Filled(e.Expression)).ToList();
        Assert.DoesNotContain(expressions, e => e.Contains('$', StringComparison.Ordinal));
        var (status, said) = await Promtool.CheckExpressionsAsync(expressions);
        Assert.True(status == 0 && said.Contains($"{expressions.Count} rules found", StringComparison.Ordinal), said);
    }

    /// <summary>Some mistakes show only over series: two that match one, labels that are on one side alone.</summary>
    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Expressions_OverTheSeriesOfTwoSilos_HaveAnAnswer()
    {
        var (status, said) = await Promtool.AnswerAsync(
            MonitoringFiles.SeriesOfTwoSilos(), MonitoringFiles.Expressions().Select(e => MonitoringFiles.Filled(e.Expression)));
        Assert.True(status == 0, said);
    }

    [Theory]
    [InlineData("taba_part_out / on (job) taba_part_out")]
    [InlineData("taba_part_out{taba_stage_kind=\"none\"}")]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Promtool_AnExpressionWithoutAnAnswer_IsRefused(string expression)
    {
        Assert.Equal(0, (await Promtool.CheckExpressionsAsync([expression])).Status);
        Assert.NotEqual(0, (await Promtool.AnswerAsync(MonitoringFiles.SeriesOfTwoSilos(), [expression])).Status);
    }

    [Fact]
    public void Series_ThatTestsGiveToPromtool_AreExported() =>
        Assert.Empty(MonitoringFiles.SeriesOfTwoSilos().SelectMany(MonitoringFiles.Metrics).Except(MonitoringFiles.ExportedMetrics()));

    [Fact]
    public void Expressions_SeriesThatTheyName_AreExported()
    {
        var exported = MonitoringFiles.ExportedMetrics();
        Assert.All(MonitoringFiles.Expressions(), asked =>
        {
            var named = MonitoringFiles.Metrics(MonitoringFiles.Filled(asked.Expression)).ToList();
            Assert.NotEmpty(named);
            Assert.Empty(named.Except(exported));
        });
    }

    [Theory]
    [InlineData("sum by (taba_model) (rate(taba_row_published_total{taba_model=~\"a_b\"}[5m]))", "taba_row_published_total")]
    [InlineData("clamp_min(max(a_b offset 5m), 1) / on (c_d) group_left (e_f) g_h", "a_b,g_h")]
    [InlineData("histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m]))) > 3 * y_z", "x_bucket,y_z")]
    public void Metrics_OfAnExpression_AreItsSeriesAlone(string expression, string expected) =>
        Assert.Equal(expected.Split(','), MonitoringFiles.Metrics(expression));

    [Fact]
    public void Dashboard_WhatImportsGoBy_IsStable()
    {
        using var dashboard = MonitoringFiles.ReadDashboard();
        var root = dashboard.RootElement;
        Assert.Equal("taba-cluster", root.GetProperty("uid").GetString());
        Assert.Equal("Taba", root.GetProperty("title").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("id").ValueKind);
        Assert.Contains("taba", root.GetProperty("tags").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal(
            ["datasource", "namespace", "job", "model"],
            root.GetProperty("templating").GetProperty("list").EnumerateArray().Select(v => v.GetProperty("name").GetString()));
    }

    [Fact]
    public void Panels_Numbers_DifferAndStartAtOne()
    {
        var ids = MonitoringFiles.Panels().Select(p => p.GetProperty("id").GetInt32()).ToList();
        Assert.Equal(Enumerable.Range(1, ids.Count), ids.Order());
    }

    [Fact]
    public void Panels_WhereTheirNumbersComeFrom_IsTheVariable()
    {
        const string Variable = "${datasource}";
        Assert.All(MonitoringFiles.Panels(), panel =>
        {
            Assert.Equal(Variable, panel.GetProperty("datasource").GetProperty("uid").GetString());
            Assert.All(
                panel.GetProperty("targets").EnumerateArray(),
                target => Assert.Equal(Variable, target.GetProperty("datasource").GetProperty("uid").GetString()));
        });
        using var dashboard = MonitoringFiles.ReadDashboard();
        Assert.All(
            dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().Where(
                v => v.GetProperty("type").GetString() == "query"),
            variable => Assert.Equal(Variable, variable.GetProperty("datasource").GetProperty("uid").GetString()));
    }

    [Fact]
    public void Panels_ForWhoeverReadsThem_SayTheDecisionTheUnitAndTheLegend() => Assert.All(MonitoringFiles.Panels(), panel =>
    {
        Assert.StartsWith("Decision: ", panel.GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString()!);
        Assert.All(panel.GetProperty("targets").EnumerateArray(), t => Assert.NotEmpty(t.GetProperty("legendFormat").GetString()!));
    });

    /// <summary>A change of a variable must change what is shown: every expression is limited to the cluster that is chosen.</summary>
    [Fact]
    public void Expressions_OfPanels_AreOfTheChosenCluster()
    {
        using var dashboard = MonitoringFiles.ReadDashboard();
        foreach (var panel in MonitoringFiles.Panels())
        {
            foreach (var expression in panel.GetProperty("targets").EnumerateArray().Select(t => t.GetProperty("expr").GetString()!))
            {
                var selectors = expression.Split('{').Skip(1).Select(s => s.Split('}')[0]).ToList();
                Assert.NotEmpty(selectors);
                Assert.All(selectors, s => Assert.StartsWith("namespace=~\"$namespace\", job=~\"$job\"", s, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Panels_TheirPlaces_DoNotOverlapAndFitTheWidth()
    {
        var taken = new HashSet<(int, int)>();
        foreach (var place in MonitoringFiles.Panels().Select(p => p.GetProperty("gridPos")))
        {
            var (x, y) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32());
            var (w, h) = (place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32());
            Assert.InRange(x + w, 1, 24);
            foreach (var cell in from column in Enumerable.Range(x, w) from row in Enumerable.Range(y, h) select (column, row))
                Assert.True(taken.Add(cell), $"two panels at {cell}");
        }
    }

    [Fact]
    public void Links_ToTheGuide_LeadToItsSections()
    {
        using var dashboard = MonitoringFiles.ReadDashboard();
        var links = MonitoringFiles.Panels().Append(dashboard.RootElement).SelectMany(p => p.GetProperty("links").EnumerateArray())
            .Select(l => l.GetProperty("url").GetString()!.Split('#')).ToList();
        Assert.NotEmpty(links);
        Assert.All(links, link =>
        {
            Assert.Equal(MonitoringFiles.Guide, link[0]);
            Assert.Contains(link[1], MonitoringFiles.Anchors());
        });
    }
}
