namespace Taba.Chart.Tests;

/// <summary>The notes after an installation say what to do next, and what is missing.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class NotesTests
{
    const string NoTls = "Between silos, and between clients and silos, there is no TLS (cluster.tls.existingSecret)";

    public static TheoryData<string> CiNames => [.. ChartFiles.CiNames];

    [Theory]
    [InlineData("minimal", "There is no ingress (ingress.enabled)")]
    [InlineData("minimal", "port-forward service/taba 8080:8080")]
    [InlineData("minimal", "Nobody collects metrics")]
    [InlineData("minimal", NoTls)]
    [InlineData("redis", "There is no network policy")]
    [InlineData("redis", "args: [run, /sweep/sweep.yaml, --cluster, lab, --detach]")]
    [InlineData("minimal", "image: registry.example.org/taba:0.1.0\n")]
    [InlineData("azure", "or --out blob:NAME")]
    [InlineData("azure", "      azure.workload.identity/use: \"true\"\n")]
    [InlineData("coordinators", "There is no pool: sweeps wait until one is added")]
    [InlineData("everything", "is at https://taba.example.org/.")]
    [InlineData("everything", "name: taba-client-tls")]
    public async Task Notes_OfValues_SayWhatHolds(string name, string sentence) =>
        Assert.Contains(sentence, await NotesAsync(name), StringComparison.Ordinal);

    [Theory]
    [InlineData("everything", "There is no ingress")]
    [InlineData("everything", NoTls)]
    [InlineData("everything", "name: taba-silo-tls")]
    [InlineData("everything", "Nobody collects metrics")]
    [InlineData("everything", "There is no network policy")]
    [InlineData("minimal", "There is no pool")]
    [InlineData("minimal", "no rules")]
    public async Task Notes_OfValues_DoNotSayWhatDoesNotHold(string name, string sentence) =>
        Assert.DoesNotContain(sentence, await NotesAsync(name), StringComparison.Ordinal);

    [Fact]
    public async Task Notes_ChartWithoutRulesAndDashboards_SayThatTheyAreMissing()
    {
        using var chart = new SampleChart(withFiles: false);
        var notes = await RenderedChart.TextAsync("everything", chart.Path, "--template", "templates/NOTES.txt");
        Assert.Contains("this copy of the chart has no rules", notes, StringComparison.Ordinal);
        Assert.Contains("this copy of the chart has no dashboards", notes, StringComparison.Ordinal);
    }

    /// <summary>The client's pod is a text that people copy: it is held to what the silos' pods are.</summary>
    [Theory]
    [MemberData(nameof(CiNames))]
    public async Task Notes_PodOfAClient_IsAPodOfKubernetes(string name)
    {
        var notes = await NotesAsync(name);
        var start = notes.IndexOf("<<'EOF'\n", StringComparison.Ordinal) + "<<'EOF'\n".Length;
        var lines = notes[start..notes.IndexOf("\n  EOF", StringComparison.Ordinal)].Split('\n');
        var pod = string.Join('\n', lines.Select(line => line.Length > 2 ? line[2..] : ""));
        await ObjectTests.ValidAsync(pod + "\n");
        var read = Assert.IsType<k8s.Models.V1Pod>(Assert.Single(RenderedChart.Objects(pod)));
        Assert.True(read.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem);
        Assert.Contains(read.Spec.Volumes, v => v.Name == "secrets");
    }

    static Task<string> NotesAsync(string name) => RenderedChart.TextAsync(name, null, "--template", "templates/NOTES.txt");
}
