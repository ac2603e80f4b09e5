using k8s;
using k8s.Models;

namespace Taba.Chart.Tests;

/// <summary>What the chart makes of a file of values.</summary>
static class RenderedChart
{
    static readonly string[] s_custom = ["monitoring.coreos.com/", "keda.sh/"];

    /// <summary>Renders the chart, or a copy of it, strictly, with the values of helm/taba/ci and more arguments.</summary>
    public static async Task<string> TextAsync(string ciName, string? chart = null, params IEnumerable<string> more)
    {
        var result = await ChartTool.RenderAsync([
            chart ?? ChartFiles.Chart, "-f", ChartFiles.CiFile(ciName), "--name", "taba", "-n", "vision", "--kube-version", "v1.31.0",
            "--strict", "--lint", .. more]);
        Assert.True(result.Status == 0, result.Error);
        return result.Output;
    }

    /// <summary>The reason why the chart does not render.</summary>
    public static async Task<string> RefusalAsync(string ciName, params IEnumerable<string> more)
    {
        var result = await ChartTool.RenderAsync([ChartFiles.Chart, "-f", ChartFiles.CiFile(ciName), "--name", "taba", .. more]);
        Assert.True(result.Status == 1, $"It renders with {string.Join(' ', more)}.");
        return result.Error;
    }

    public static IEnumerable<string> Documents(string text) =>
        text.Split("---\n", StringSplitOptions.RemoveEmptyEntries).Where(d => d.Contains("\nkind: ", StringComparison.Ordinal));

    /// <summary>The objects of Kubernetes itself, read strictly: a field that it does not know is an exception.</summary>
    public static List<object> Objects(string text) => KubernetesYaml.LoadAllFromString(
        string.Join("---\n", Documents(text).Where(d => !s_custom.Any(c => d.Contains($"apiVersion: {c}", StringComparison.Ordinal)))),
        null, strict: true);

    public static async Task<List<V1Deployment>> DeploymentsAsync(string ciName, params IEnumerable<string> more) =>
        [.. Objects(await TextAsync(ciName, null, more)).OfType<V1Deployment>()];
}
