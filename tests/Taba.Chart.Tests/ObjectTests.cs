using System.Globalization;
using k8s;

namespace Taba.Chart.Tests;

/// <summary>
/// Kubernetes takes what the chart makes. Two readers look at it, because each misses what the other sees: the client's types know
/// every field, the schemas know what must be there and which words are allowed.
/// </summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class ObjectTests
{
    public static TheoryData<string> CiNames => [.. ChartFiles.CiNames];

    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Chart_ValuesOfCi_AreObjectsOfKubernetes(string name)
    {
        // The rules and dashboards that are shipped, not those of the golden files.
        var text = await RenderedChart.TextAsync(name);
        Assert.NotEmpty(RenderedChart.Objects(text));
        await ValidAsync(text);
    }

    [Fact]
    public async Task Chart_RulesAndDashboards_ComeOneForEachFile()
    {
        using var chart = new SampleChart();
        var text = await RenderedChart.TextAsync("everything", chart.Path);
        await ValidAsync(text);
        var rule = Assert.Single(RenderedChart.Documents(text), d => d.Contains("kind: PrometheusRule", StringComparison.Ordinal));
        Assert.Contains("summary: '{{ $labels.instance }} is gone'", rule, StringComparison.Ordinal);
        var board = Assert.Single(
            RenderedChart.Objects(text).OfType<k8s.Models.V1ConfigMap>(), c => c.Metadata.Labels.ContainsKey("grafana_dashboard"));
        Assert.Equal(
            """
            {
              "title": "Taba",
              "panels": [{ "legendFormat": "{{model}}" }]
            }
            """,
            board.Data["cluster.json"]);
        Assert.Equal("grafana", board.Metadata.NamespaceProperty);
    }

    [Fact]
    public async Task Chart_NoRulesAndDashboards_RendersWithoutThem()
    {
        using var chart = new SampleChart(withFiles: false);
        var text = await RenderedChart.TextAsync("everything", chart.Path);
        await ValidAsync(text);
        Assert.Contains("kind: PodMonitor", text, StringComparison.Ordinal);
        Assert.DoesNotContain("kind: PrometheusRule", text, StringComparison.Ordinal);
        Assert.DoesNotContain("grafana_dashboard", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ClientTypes_FieldThatNobodyKnows_IsRefused() => Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  portz: []\n", null, strict: true));

    [Theory]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {}}\n", "required property selector")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {b: true}}\n", "must be string")]
    [InlineData("apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec: {}\n", "required property triggers")]
    [InlineData("apiVersion: monitoring.coreos.com/v1\nkind: PodMonitor\nmetadata: {name: a}\nspec: {}\n", "required property selector")]
    [InlineData("apiVersion: apps/v9\nkind: Deployment\nmetadata: {name: a}\n", "no schema for apps/v9")]
    public async Task Schemas_ObjectThatIsWrong_IsRefused(string yaml, string reason)
    {
        var result = await ChartTool.ValidateAsync(yaml);
        Assert.Equal(1, result.Status);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
    }

    internal static async Task ValidAsync(string text)
    {
        var result = await ChartTool.ValidateAsync(text);
        Assert.True(result.Status == 0, result.Error);
        Assert.Equal(RenderedChart.Documents(text).Count(), int.Parse(result.Output, CultureInfo.InvariantCulture));
    }
}
