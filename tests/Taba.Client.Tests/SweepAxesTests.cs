using System.Text.Json.Nodes;
using Taba.Client.Sweeps;
using Taba.Grains;
using Taba.Silo.Models;
using Taba.Silo.Outputs;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>What a sweep can ask besides model, T and seed: T of inversion, checkpoints, forward seeds, steps of forward runs.</summary>
public sealed class SweepAxesTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    string Sweep(string more) => _taba.Write("sweep.yaml", $"""
        name: axes
        model: {_taba.GaussianModel()}
        samples: 8
        seed: 420
        num_inference_steps: 10
        {more}
        """);

    [Fact]
    public async Task Run_OfInversionSteps_AddsRunsToThoseOfASweepWithoutThem()
    {
        await _taba.DoneAsync("run", Sweep(""), "--out", _taba.At("out"));
        var latents = await File.ReadAllBytesAsync(_taba.At("out", "axes", "g_T10_seed420", "latents.safetensors"));

        await _taba.DoneAsync("run", Sweep("inversion_steps: [5, 10, 20]"), "--out", _taba.At("out"), "--json");

        // Sampling and the run of 10 are there already; 5 and 20 go there and back.
        Assert.Equal(8 * 2 * 25, (int)JsonNode.Parse(_taba.Last.LastLine)!["evaluations"]!);
        Assert.Equal(latents, await File.ReadAllBytesAsync(_taba.At("out", "axes", "g_T10_seed420", "latents.safetensors")));
        var run = RunFolder.Read(_taba.At("out", "axes", "g_T10_inv20_seed420"))!;
        Assert.Equal((10, 20, 20), (run.Stages[0].Timesteps.Length, run.Stages[1].Timesteps.Length, run.Stages[2].Timesteps.Length));
        var results = (await File.ReadAllLinesAsync(_taba.At("out", "axes", "results.csv"))).Select(line => line.Split(',')).ToList();
        var column = Array.IndexOf(results[0], "inversion_steps");
        Assert.Equal(["5", "10", "20"], results.Skip(1).Select(line => line[column]));
        var report = await File.ReadAllTextAsync(_taba.At("out", "axes", "report.html"));
        Assert.Contains("<h2>g, T = 10, inverted in 20, N = 8</h2>", report, StringComparison.Ordinal);
        Assert.Contains("Error of reconstructed images over T", report, StringComparison.Ordinal);
        Assert.Contains("T, steps of inversion", report, StringComparison.Ordinal);

        Assert.Contains("both need one T", await _taba.RefuseAsync(
            "run", Sweep("inversion_steps: 5"), "interventions=[{swap: {before: 1}}]", "--out", _taba.At("out")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OfTwoCheckpoints_IsARunForEach()
    {
        var shipped = KnownModels.DescriptionPath(KnownModels.Find("demo")!);
        var weights = await File.ReadAllBytesAsync(Path.Combine(Path.GetDirectoryName(shipped)!, "demo.safetensors"));
        await File.WriteAllBytesAsync(_taba.At("ema_0.9999_000010.safetensors"), weights);
        weights[^4] ^= 1;
        await File.WriteAllBytesAsync(_taba.At("ema_0.9999_000002.safetensors"), weights);

        await _taba.DoneAsync("run", _taba.Write("steps.yaml", """
            model: demo
            weights: [ema_0.9999_000002.safetensors, ema_0.9999_000010.safetensors]
            samples: 2
            num_inference_steps: 2
            """), "--out", _taba.At("out"));

        var runs = new[] { "000002", "000010" }.Select(
            step => RunFolder.Read(_taba.At("out", "steps", $"demo_ema_0.9999_{step}_T2_seed42"))!).ToList();
        Assert.Equal(["ema_0.9999_000002", "ema_0.9999_000010"], runs.Select(r => r.Axes["weights"]));
        Assert.NotEqual(runs[0].Model.Digest, runs[1].Model.Digest);
        Assert.NotEqual(
            await File.ReadAllBytesAsync(_taba.At("out", "steps", runs[0].Run, "samples.safetensors")),
            await File.ReadAllBytesAsync(_taba.At("out", "steps", runs[1].Run, "samples.safetensors")));
        Assert.Contains(",weights,", (await File.ReadAllLinesAsync(_taba.At("out", "steps", "results.csv")))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OfForwardSeeds_TellsTheirMean()
    {
        await _taba.DoneAsync(
            "run", Sweep("interventions: [{ forward: { before: 3, seed: [42, 21] } }]"), "samples=40", "--out", _taba.At("out"), "--json");

        var finding = JsonNode.Parse(_taba.Last.Output.Split('\n').Single(l => l.Contains("\"finding\"", StringComparison.Ordinal)))!;
        var point = finding["groups"]![0]!["points"]![1]!;
        Assert.Equal([42, 21], point["forward_seeds"]!.AsArray().Select(s => (int)s!).OrderDescending());
        var each = point["runs"]!.AsArray().Select(run => PythonJson.Read(
            File.ReadAllBytes(_taba.At("out", "axes", (string)run!, "metrics.json")))!).ToList();
        var told = point["reconstruction_error_images"]!;
        Assert.Equal(2, each.Select(e => (double)e["metrics"]!["reconstruction_error_images"]!).Distinct().Count());
        Assert.Equal(each.Average(e => (double)e["metrics"]!["reconstruction_error_images"]!), (double)told["mean"]!, 1e-12);
        Assert.Equal(2, (int)told["count"]!);
        // Both have the same samples, so that two are as sure as one is.
        foreach (var end in (string[])["low", "high"])
            Assert.Equal(
                each.Average(e => (double)e["intervals"]!["reconstruction_error_images"]![end]!), (double)told[end]!, 1e-12);
    }

    [Fact]
    public async Task Run_WithInternalAndForward_KeepsTheExecutedStepsUnderThePlainRunsNames()
    {
        await _taba.DoneAsync(
            "run", Sweep("internal: true"), "interventions=[{forward: {before: 4, seed: 7}}]", "--out", _taba.At("out"), "--format", "npy");

        var (plain, forward) = (Read("g_T10_seed420"), Read("g_T10_seed420_forward_before4_seed7"));
        // Sampling is the plain run's to show, as in upstream's folders.
        Assert.Equal(
            plain.Tensors.Select(t => t.Name).Where(n => !n.EndsWith("_samples", StringComparison.Ordinal)),
            forward.Tensors.Select(t => t.Name));
        foreach (var name in (string[])["all_t_latents", "all_t_eps_latents", "all_t_pred_xstart_latents"])
        {
            var file = forward.Tensors.Single(t => t.Name == name);
            Assert.Equal([6, 8, 3, 8, 8], file.Shape);
            Assert.Equal([4, 5, 6, 7, 8, 9], file.Steps);
        }
        Assert.Equal([10, 8, 3, 8, 8], forward.Tensors.Single(t => t.Name == "all_t_samples2").Shape);
        // The state after the last step is the latents.
        var states = await File.ReadAllBytesAsync(_taba.At("out", "axes", forward.Run, "all_t_latents.npy"));
        var latents = await File.ReadAllBytesAsync(_taba.At("out", "axes", forward.Run, "latents.npy"));
        const int Bytes = 8 * 3 * 8 * 8 * sizeof(float);
        Assert.Equal(latents[^Bytes..], states[^Bytes..]);
        Assert.NotEqual(latents[^Bytes..], states[^(2 * Bytes)..^Bytes]);

        RunFolder Read(string run) => RunFolder.Read(_taba.At("out", "axes", run))!;
    }

    [Theory]
    [InlineData("w.pt", null)]
    [InlineData("[w.pt]", "w")]
    [InlineData("[run/ema_0.9999_000100.pt, run/ema_0.9999_000200.pt]", "ema_0.9999_000100 ema_0.9999_000200")]
    [InlineData("[one/model.pt, two/model.pt]", "one-model two-model")]
    [InlineData("[x/a b.safetensors, y/c.ckpt]", "a-b c")]
    [InlineData("[m.pt, m.safetensors]", "m.pt-1 m.safetensors-2")]
    public void Weights_AsAList_NameRunsByWhatTellsThemApart(string weights, string? names)
    {
        var spec = SweepFileReader.Parse($"model: [demo, other]\nweights: {weights}", "s.yaml", []);
        var expected = names?.Split(' ') ?? new string?[] { null };
        Assert.Equal([.. expected, .. expected], spec.Models.Select(m => m.Checkpoint));
        Assert.Equal(expected.Length, spec.Models.Count(m => m.NameOrPath == "other"));
    }

    [Theory]
    [InlineData("weights: [a.pt, a.pt]", "weights has a.pt twice")]
    [InlineData("weights: []", "weights is an empty list")]
    [InlineData("inversion_steps: ten", "expected a whole number")]
    [InlineData("inversion_steps: 10..20", "several values are a list")]
    public void Axes_ThatCannotBe_AreRefused(string line, string expected) => Assert.Contains(
        expected, Assert.Throws<BadInputException>(() => SweepFileReader.Parse($"model: demo\n{line}", "s.yaml", [])).Message,
        StringComparison.Ordinal);
}
