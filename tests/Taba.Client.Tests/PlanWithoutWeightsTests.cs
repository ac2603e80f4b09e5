using System.Text.Json.Nodes;
using Taba.Silo.Models;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Plans of known models on a machine that has none of their weights, and no network.</summary>
public sealed class PlanWithoutWeightsTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Theory]
    // Rows times steps: sampling, then an inversion and a reconstruction a run, less K steps where forward diffusion replaces them, and a
    // decoded set for the samples and each reconstruction.
    [InlineData("ldm-forward", 10240L * (50 + (7 * 100) - (1 + 2 + 3 + 5 + 10 + 50) + 8), new[] { "ldm-celebahq-256" })]
    [InlineData("dit-forward", 10240L * (50 + (13 * 100) - (2 * (1 + 2 + 3 + 5 + 10 + 50)) + 14), new[] { "dit-xl-2-256" })]
    [InlineData("if-swap", 8192L * (50 + (6 * 100) - (1 + 2 + 3 + 5 + 10)), new[] { "if-i-xl", "recap-coco-30k" })]
    [InlineData("demo", 128L * (50 + (3 * 100) - (2 + 2)), new string[0])]
    public async Task Plan_OfAShippedSweep_CountsWithoutWeights(string name, long evaluations, string[] absent)
    {
        var sweep = Path.GetFullPath(Path.Combine(Fixtures.Root, "..", "..", "configs", $"{name}.yaml"));
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        var plan = JsonNode.Parse(_taba.Last.Output)!;
        Assert.Equal(evaluations, (long)plan["evaluations"]!);
        Assert.Equal(absent, plan["absent"]!.AsArray().Select(a => (string)a!["name"]!));
        var isKnown = absent.Length == 0;
        Assert.Equal(isKnown, plan["id"] is not null);
        Assert.All(plan["stages"]!.AsArray(), s => Assert.Equal((isKnown, isKnown), (s!["key"] is not null, s["reused"] is not null)));

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"));
        foreach (var missing in absent)
            Assert.Contains($"taba models pull {missing}", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Equal(!isKnown, _taba.Last.Output.Contains("is unknown until then", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ldm-celebahq-256", new[] { "ldm_celebahq_256_unet", "ldm_celebahq_256_vqvae" }, 4)]
    [InlineData("dit-xl-2-256", new[] { "dit_xl_2_256_transformer", "sd_vae_ft" }, 2)]
    [InlineData("if-i-xl", new[] { "if_i_xl_unet", "t5_v1_1_xxl_encoder" }, 2)]
    [InlineData("adm-32", new[] { "adm_cifar_pixel_32" }, 4)]
    public async Task Plan_SizeOfWhatIsMissing_IsThatOfThePublishedParameters(string model, string[] parts, int bytes)
    {
        var parameters = parts.Sum(
            part => (long)JsonNode.Parse(File.ReadAllText(Fixtures.At($"manifests/{part}.json")))!["n_params"]!);
        var sweep = _taba.Write("s.yaml", $"model: {model}\nsamples: 4\nnum_inference_steps: 50");
        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--json");
        // T5's manifest has the table of tokens twice, under both of its names.
        Assert.InRange((long)JsonNode.Parse(_taba.Last.Output)!["absent"]![0]!["bytes"]!, parameters * bytes * 0.98, parameters * bytes);
    }

    [Fact]
    public async Task DryRun_OfEveryCommandThatRuns_SaysThePlanAndStartsNothing()
    {
        await _taba.DoneAsync(
            "sample", "adm", "--n_samples", "8", "--num_inference_steps", "50", "--dry_run", "--save_dir", _taba.At("out", "a"));
        Assert.Contains("not here: adm-32, about 200", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains("network evaluations: 400 at most", _taba.Last.Output, StringComparison.Ordinal);
        await _taba.DoneAsync(
            "sample", "dit", "--labels", "golden retriever,207", "--noises_per_prompt", "2", "--dry-run", "--save_dir",
            _taba.At("out", "b"));
        Assert.Contains("network evaluations: 204 at most", _taba.Last.Output, StringComparison.Ordinal);
        await _taba.DoneAsync("run", _taba.Write("s.yaml", "model: demo\nsamples: 2"), "--dry_run", "--out", _taba.At("out"));
        Assert.False(Directory.Exists(_taba.At("out")));
    }

    [Theory]
    [InlineData("model: adm-32\nsamples: 4\nnum_inference_steps: 2001", "no integer stride keeps exactly 2001")]
    [InlineData("model: dit-xl-2-256\nnum_inference_steps: 50\nlabels: [1000]", "1000")]
    [InlineData("model: ldm-celebahq-256\nlabels: [3]\nnum_inference_steps: 50", "takes no classes")]
    [InlineData("model: if-i-xl\nnum_inference_steps: 50\nprompts: nosuch.txt", "There is no file")]
    [InlineData("model: adm-33\nsamples: 4", "There is no model 'adm-33'")]
    [InlineData("model: adm-32\nweights: nosuch.pt\nsamples: 4", "There are no weights at")]
    public async Task Plan_WhatCannotRun_IsRefusedAsWithWeights(string yaml, string expected) => Assert.Contains(
        expected, await _taba.RefuseAsync("plan", _taba.Write("s.yaml", yaml), "--out", _taba.At("out")), StringComparison.Ordinal);

    [Fact]
    public void Outline_IsShippedForEveryKnownModel()
    {
        foreach (var model in KnownModels.All)
        {
            var folder = Path.Combine(AppContext.BaseDirectory, "models", model.Name);
            Assert.True(File.Exists(Path.Combine(folder, model.Repository is null ? "model.json" : "model_index.json")), folder);
        }
    }
}
