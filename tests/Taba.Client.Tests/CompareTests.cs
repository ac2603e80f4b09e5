using System.Text.Json.Nodes;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary><c>taba compare</c> of whole runs and sweeps.</summary>
public sealed class CompareTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Compare_TwoRuns_TellsSettingsMetricsAndTensors()
    {
        await RunAsync("a", "forward: { before: [1], seed: 7 }", 420);

        await _taba.DoneAsync(
            "compare", _taba.At("out", "a", "g_T10_seed420"), _taba.At("out", "a", "g_T10_seed420_forward_before1_seed7"), "--json");

        var told = JsonNode.Parse(_taba.Last.Output)!;
        Assert.Equal("7", (string)told["settings"]!["forward_seed"]!["b"]!);
        Assert.Null(told["settings"]!["forward_seed"]!["a"]);
        Assert.Null(told["settings"]!["seed"]);
        var run = told["runs"]!.AsArray().Single()!;
        Assert.Equal(0, (double)run["tensors"]!["samples"]!["largest"]!);
        Assert.True((double)run["tensors"]!["latents"]!["largest"]! > 0.1);
        var correlation = run["metrics"]!["correlation.mean"]!;
        Assert.Equal((double)correlation["b"]! - (double)correlation["a"]!, (double)correlation["difference"]!);
        Assert.NotEqual(0, (double)correlation["difference"]!);
    }

    [Fact]
    public async Task Compare_TwoSweeps_PairsRunsByWhatTheyHaveInCommon()
    {
        await RunAsync("a", "forward: { before: [1, 2], seed: 7 }", 1);
        await RunAsync("b", "forward: { before: [1, 3], seed: 7 }", 2);

        await _taba.DoneAsync("compare", _taba.At("out", "a"), _taba.At("out", "b"), "--json");

        var told = JsonNode.Parse(_taba.Last.Output)!;
        // The only seed of each side is what sets them apart, and does not keep their runs from being paired.
        Assert.Equal(("1", "2"), ((string)told["settings"]!["seed"]!["a"]!, (string)told["settings"]!["seed"]!["b"]!));
        Assert.Equal(["plain inversion", "forward K = 1, forward seed 7"], told["runs"]!.AsArray().Select(r => (string)r!["label"]!));
        Assert.Equal(["g_T10_seed1_forward_before2_seed7"], told["only_a"]!.AsArray().Select(r => (string)r!));
        Assert.Equal(["g_T10_seed2_forward_before3_seed7"], told["only_b"]!.AsArray().Select(r => (string)r!));

        await _taba.DoneAsync("compare", _taba.At("out", "a"), _taba.At("out", "b"), "--out", _taba.At("c.html"));
        Assert.Contains("only in B: g_T10_seed2_forward_before3_seed7", _taba.Last.Output, StringComparison.Ordinal);
        var page = await File.ReadAllTextAsync(_taba.At("c.html"));
        Assert.Contains("<td>forward K = 1, forward seed 7</td>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_RunsOfDifferentLength_TakesTheirCommonRows()
    {
        await RunAsync("a", "forward: { before: [1], seed: 7 }", 1, samples: 20);
        await RunAsync("b", "forward: { before: [1], seed: 7 }", 1, samples: 24);

        await _taba.DoneAsync("compare", _taba.At("out", "a", "g_T10_seed1"), _taba.At("out", "b", "g_T10_seed1"), "--json");

        var told = JsonNode.Parse(_taba.Last.Output)!;
        Assert.Equal("24", (string)told["settings"]!["samples"]!["b"]!);
        Assert.Equal(20, (int)told["runs"]![0]!["tensors"]!["noise"]!["samples"]!);
        Assert.Equal(0, (double)told["runs"]![0]!["tensors"]!["noise"]!["largest"]!);
    }

    [Fact]
    public async Task Compare_RunsOfTheSameSamples_HasIntervalsAndMarksWhatNSupports()
    {
        await RunAsync("a", "forward: { before: [1], seed: 7 }", 420, samples: 64);
        string[] runs = [_taba.At("out", "a", "g_T10_seed420"), _taba.At("out", "a", "g_T10_seed420_forward_before1_seed7")];

        await _taba.DoneAsync("compare", runs[0], runs[1], "--json");

        var metrics = JsonNode.Parse(_taba.Last.Output)!["runs"]![0]!["metrics"]!;
        // Forward noise is another noise than the one that the samples were made of.
        Number("reconstruction_error_noise", told: true);
        var own = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(runs[0], "metrics.json")))!["intervals"]!["correlation.mean"]!;
        Assert.Equal((double)own["low"]!, (double)metrics["correlation.mean"]!["a_low"]!);
        Number("correlation.mean", told: (double)metrics["correlation.mean"]!["p_value"]! < 0.05);
        Assert.Null(metrics["kl_div_noise_latent"]!["difference_low"]);
        Assert.Null(metrics["kl_div_noise_latent"]!["told"]);

        await _taba.DoneAsync("compare", runs[0], runs[1]);
        var line = _taba.Last.Output
            .Split('\n').Select(l => l.TrimEnd()).Single(l => l.StartsWith("reconstruction_error_noise", StringComparison.Ordinal));
        Assert.Matches(@"( +\S+ \(\S+ to \S+\)){3} \*$", line);
        Assert.Contains("* the interval of the difference excludes 0", _taba.Last.Output, StringComparison.Ordinal);

        // Against itself nothing differs, and nothing is marked.
        await _taba.DoneAsync("compare", runs[0], runs[0]);
        Assert.DoesNotContain("*", _taba.Last.Output, StringComparison.Ordinal);

        void Number(string name, bool told)
        {
            var metric = metrics[name]!;
            Assert.InRange((double)metric["difference"]!, (double)metric["difference_low"]!, (double)metric["difference_high"]!);
            Assert.Equal(told, (double)metric["difference_low"]! > 0 || (double)metric["difference_high"]! < 0);
            Assert.Equal(told, (bool)metric["told"]!);
        }
    }

    [Fact]
    public async Task Compare_WhatIsNoRun_IsRefused()
    {
        Directory.CreateDirectory(_taba.At("empty"));
        Assert.Contains("holds no run", await _taba.RefuseAsync("compare", _taba.At("empty"), _taba.At("empty")), StringComparison.Ordinal);
        Assert.Contains(
            "There is no folder", await _taba.RefuseAsync("compare", _taba.At("empty", "x"), _taba.At("empty")), StringComparison.Ordinal);
    }

    async Task RunAsync(string name, string intervention, int seed, int samples = 20)
    {
        var sweep = _taba.Write($"{name}.yaml", $$"""
            name: {{name}}
            model: {{_taba.GaussianModel()}}
            samples: {{samples}}
            seed: {{seed}}
            num_inference_steps: 10
            interventions:
              - {{intervention}}
            """);
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
    }
}
