using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Runs that are large enough to be measured in blocks by whichever silo has room.</summary>
public sealed class MeasureStageTests : IDisposable
{
    const int Samples = 2050;

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    string Sweep(string name, string metrics, string more = "") => _taba.Write($"{name}.yaml", $$"""
        name: {{name}}
        model: {{_taba.GaussianModel()}}
        samples: {{Samples}}
        seed: 420
        num_inference_steps: 2
        metrics: {{metrics}}
        {{more}}
        """);

    [Fact]
    public async Task Run_OfManySamples_IsMeasuredInBlocksAsInOnePiece()
    {
        var sweep = Sweep("blocks", "[paper, geometry, normality, similarity, svcca]");
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"), "--json");

        var measured = JsonNode.Parse(_taba.Last.LastLine)!;
        Assert.Equal(Samples * 6, (double)measured["evaluations"]!);
        var folder = Assert.Single(Directory.GetDirectories(_taba.At("out", "blocks")), d => File.Exists(Path.Combine(d, "metrics.json")));
        using var written = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "metrics.json")));
        await _taba.DoneAsync("measure", folder, "--metrics", "paper,geometry,normality,similarity,svcca", "--json");
        using var whole = JsonDocument.Parse(_taba.Last.Output);
        Same(whole.RootElement.GetProperty("metrics").GetProperty("paper"), written.RootElement.GetProperty("metrics"), "paper");
        Assert.Equal(
            ["geometry", "normality", "similarity", "svcca"],
            written.RootElement.GetProperty("analyses").EnumerateObject().Select(a => a.Name));
        foreach (var analysis in written.RootElement.GetProperty("analyses").EnumerateObject())
            Same(whole.RootElement.GetProperty("metrics").GetProperty(analysis.Name), analysis.Value, analysis.Name);

        await _taba.DoneAsync("store", "ls", "--out", _taba.At("out"));
        Assert.Matches("measure .* 16", _taba.Last.Output);
    }

    [Fact]
    public async Task Run_OfAnotherSweepWithTheSameRun_MeasuresItNoSecondTime()
    {
        await _taba.DoneAsync("run", Sweep("first", "[paper]"), "--out", _taba.At("out"));

        await _taba.DoneAsync(
            "run", Sweep("second", "[paper]", "interventions: [{ forward: { before: 1, seed: 3 } }]"), "--out", _taba.At("out"), "--json");

        var done = JsonNode.Parse(_taba.Last.LastLine)!;
        Assert.Equal(3 * Samples + 16, (long)done["reused_rows"]!);
    }

    [Fact]
    public async Task Run_WithOtherMetricsThanItsFolderHas_MeasuresAgainAndComputesNothing()
    {
        await _taba.DoneAsync("run", Sweep("sweep", "[paper]"), "--out", _taba.At("out"));

        await _taba.DoneAsync("run", Sweep("sweep", "[paper, divergence]"), "--out", _taba.At("out"), "--json");

        Assert.Equal(0, (double)JsonNode.Parse(_taba.Last.LastLine)!["evaluations"]!);
        var folder = Assert.Single(Directory.GetDirectories(_taba.At("out", "sweep")), d => File.Exists(Path.Combine(d, "metrics.json")));
        using var written = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "metrics.json")));
        Assert.Equal(
            written.RootElement.GetProperty("metrics").GetProperty("kl_div_noise_latent").GetDouble(),
            written.RootElement.GetProperty("analyses").GetProperty("divergence").GetProperty("whole").GetDouble(), 1e-9);
    }

    static void Same(JsonElement expected, JsonElement actual, string where)
    {
        if (expected.ValueKind == JsonValueKind.Object)
        {
            Assert.Equal(expected.EnumerateObject().Select(p => p.Name).Order(), actual.EnumerateObject().Select(p => p.Name).Order());
            foreach (var property in expected.EnumerateObject())
                Same(property.Value, actual.GetProperty(property.Name), $"{where}.{property.Name}");
            return;
        }
        var (a, b) = (expected.GetDouble(), actual.GetDouble());
        Assert.True(Math.Abs(a - b) <= 1e-9 * Math.Max(1e-3, Math.Abs(a)), $"{where}: {a} as a whole, {b} in blocks");
    }
}
