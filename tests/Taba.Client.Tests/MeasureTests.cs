using System.Text.Json;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

public sealed class MeasureTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    async Task<string> RunAsync(string name, params string[] arguments)
    {
        var folder = _taba.At(name);
        await _taba.DoneAsync([
            "sample", "gaussian", "--model", TinyModels.Gaussian(_taba.At("model.json")), "--n_samples", "12", "--num_inference_steps", "4",
            "--device", "cpu", "--save_dir", folder, .. arguments,
        ]);
        return folder;
    }

    [Fact]
    public async Task Measure_ARun_GivesThePapersNumbersAsItsFolderHasThem()
    {
        var folder = await RunAsync("run", "--with_inversion", "--with_reconstruction");

        await _taba.DoneAsync("measure", folder, "--metrics", "paper", "--json");

        using var measured = JsonDocument.Parse(_taba.Last.Output);
        using var written = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "metrics.json")));
        Assert.Equal(12, measured.RootElement.GetProperty("n").GetInt32());
        Assert.Equal(
            JsonSerializer.Serialize(written.RootElement.GetProperty("metrics")),
            JsonSerializer.Serialize(measured.RootElement.GetProperty("metrics").GetProperty("paper")));
    }

    [Fact]
    public async Task Measure_WithoutNames_DoesWhatTheTensorsAllowAndSaysWhatIsLeftOut()
    {
        var folder = await RunAsync("run");

        await _taba.DoneAsync("measure", folder);

        Assert.Contains("paper is left out: the folder has no latents.", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.Contains(
            "geometry is left out: the folder has no latents.", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.Contains("correlation.samples.mean", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains("moments.noise.std", _taba.Last.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Measure_EveryAnalysisOfOnePass_HasNumbersThatFitEachOther()
    {
        var folder = await RunAsync("run", "--with_inversion", "--with_reconstruction");

        await _taba.DoneAsync("measure", folder, "--json");

        var metrics = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics");
        var paper = metrics.GetProperty("paper");
        Assert.Equal(
            paper.GetProperty("reconstruction_error_images").GetDouble(), Number("reconstruction", "mae"), 1e-9);
        Assert.Equal(paper.GetProperty("kl_div_noise_latent").GetDouble(), Number("divergence", "whole"), 1e-9);
        Assert.Equal(paper.GetProperty("correlation").GetProperty("mean").GetDouble(), Number("correlation", "latents", "mean"), 1e-9);
        Assert.Equal(180, Number("geometry", "mean_cossim_img") + Number("geometry", "mean_cossim_noise")
            + Number("geometry", "mean_cossim_latent"), 5.0);
        // Independent pixels have no plain areas but at the corner.
        Assert.InRange(Number("plain-areas", "plain_fraction"), 1.0 / 256, 0.05);
        Assert.Equal(12, Number("normality", "latents", "accepted") + Number("normality", "latents", "rejected"));

        double Number(params string[] path) => path.Aggregate(metrics, (at, name) => at.GetProperty(name)).GetDouble();
    }

    [Fact]
    public async Task Measure_AnalysesOfSets_ByNameWhereThereAreEnoughSamples()
    {
        var folder = await RunAsync("run", "--with_inversion", "--with_reconstruction");

        await _taba.DoneAsync("measure", folder, "--metrics", "partners,neighbours,similarity", "--json");

        var metrics = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics");
        // Every sample of independent Gaussian pixels is its noise, moved and scaled.
        Assert.Equal(1, metrics.GetProperty("partners").GetProperty("sample_of_noise").GetProperty("mean").GetDouble());
        Assert.InRange(metrics.GetProperty("similarity").GetProperty("cka").GetDouble(), 0.9, 1.000001);
        Assert.Contains(
            "neighbours is left out: it needs 51 samples, and there are 12", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.False(metrics.TryGetProperty("neighbours", out _));
    }

    [Fact]
    public async Task Measure_FolderOfUpstream_NeedsNoManifest()
    {
        var folder = await RunAsync("run", "--with_inversion", "--with_reconstruction");
        await _taba.DoneAsync("measure", folder, "--json");
        var ours = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics");
        File.Delete(Path.Combine(folder, "manifest.json"));
        File.Delete(Path.Combine(folder, "metrics.json"));

        await _taba.DoneAsync("measure", folder, "--json", "--out", _taba.At("numbers.json"));

        Assert.Equal(
            JsonSerializer.Serialize(ours),
            JsonSerializer.Serialize(JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics")));
        using var file = JsonDocument.Parse(File.ReadAllBytes(_taba.At("numbers.json")));
        Assert.Equal(JsonSerializer.Serialize(ours), JsonSerializer.Serialize(file.RootElement[0].GetProperty("metrics")));
    }

    [Theory]
    [InlineData("--metrics has 'papr', which is no analysis. Did you mean paper?", "HERE", "--metrics", "papr")]
    [InlineData("There is no folder nowhere", "nowhere")]
    [InlineData("holds no run", "HERE")]
    public async Task Measure_BadInput_IsRefused(string expected, params string[] arguments)
    {
        Directory.CreateDirectory(_taba.At("empty"));

        Assert.Contains(
            expected, await _taba.RefuseAsync(["measure", .. arguments.Select(a => a == "HERE" ? _taba.At("empty") : a)]),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Measure_TensorThatIsDamaged_IsRefusedWithTheFile()
    {
        var folder = await RunAsync("run");
        File.WriteAllText(Path.Combine(folder, "samples.pt"), "not a tensor");

        Assert.Contains("samples.pt", await _taba.RefuseAsync("measure", folder), StringComparison.Ordinal);
    }
}
