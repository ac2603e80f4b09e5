using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Diffusion.Tensors;
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
    public async Task Measure_ARunThatKeptItsSteps_TellsWhatEachOfThemDoes()
    {
        var folder = await RunAsync("run", "--with_inversion", "--internal");

        await _taba.DoneAsync("measure", folder, "--metrics", "plain-area-steps,trajectories", "--json");

        var metrics = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics");
        var sampling = metrics.GetProperty("trajectories").GetProperty("sampling");
        var inversion = metrics.GetProperty("trajectories").GetProperty("inversion");
        // Sampling begins at the noise and inversion ends at the latent, each at one end of the line.
        Assert.Equal(12, sampling.GetProperty("0").GetProperty("closer_to_noise").GetInt32());
        Assert.Equal(0, sampling.GetProperty("0").GetProperty("distances")[0].GetDouble());
        Assert.Equal(12, inversion.GetProperty("4").GetProperty("closer_to_latent").GetInt32());
        Assert.Equal(0, inversion.GetProperty("4").GetProperty("distances")[24].GetDouble(), 1e-3);
        // Both pass the samples: the end of one and the beginning of the other.
        Assert.Equal(
            sampling.GetProperty("4").GetProperty("distances")[12].GetDouble(),
            inversion.GetProperty("0").GetProperty("distances")[12].GetDouble(), 1e-4);

        // The first step of inversion is set against the last of sampling, in whose states the images are: of independent Gaussian pixels
        // both predict nearly the same there.
        var areas = metrics.GetProperty("plain-area-steps");
        Assert.InRange(areas.GetProperty("plain_fraction").GetDouble(), 1.0 / 256, 0.05);
        var files = ErrorOf(folder, 0);
        Assert.Equal(files, Mean(areas.GetProperty("0")), 1e-6);
        Assert.NotEqual(files, Mean(areas.GetProperty("3")), 1e-6);

        double Mean(JsonElement step)
        {
            var fraction = areas.GetProperty("plain_fraction").GetDouble();
            return fraction * step.GetProperty("plain").GetProperty("error").GetDouble()
                + (1 - fraction) * step.GetProperty("other").GetProperty("error").GetDouble();
        }
    }

    /// <summary>Mean absolute difference of an inversion step's predictions and those of sampling's step in reverse order.</summary>
    static double ErrorOf(string folder, int step)
    {
        var (predicted, truth) = (Floats("all_t_eps_latents"), Floats("all_t_eps_samples"));
        var length = predicted.Length / 4;
        return Enumerable.Range(0, length)
            .Average(i => Math.Abs((double)predicted[(step * length) + i] - truth[((3 - step) * length) + i]));

        float[] Floats(string name)
        {
            using var file = TensorFile.Open(Path.Combine(folder, $"{name}.pt"));
            var tensor = file.Single(name);
            var bytes = new byte[tensor.ByteCount];
            tensor.ReadRows(0, tensor.Rows, bytes);
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        }
    }

    [Fact]
    public async Task Measure_StepsOfARunThatKeptNone_AreLeftOut()
    {
        var folder = await RunAsync("run", "--with_inversion");

        await _taba.DoneAsync("measure", folder, "--metrics", "plain-area-steps,trajectories");

        Assert.Contains("trajectories is left out: the run kept no steps", _taba.Last.Errors, StringComparison.Ordinal);
        Assert.Contains("plain-area-steps is left out: the run kept no steps", _taba.Last.Errors, StringComparison.Ordinal);
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

    [Fact]
    public async Task Measure_OneSample_TellsWhatIsNoNumber()
    {
        var folder = _taba.At("one");
        await _taba.DoneAsync(
            "sample", "gaussian", "--model", TinyModels.Gaussian(_taba.At("model.json")), "--n_samples", "1", "--num_inference_steps", "4",
            "--device", "cpu", "--save_dir", folder, "--with_inversion");

        await _taba.DoneAsync("measure", folder, "--metrics", "paper,moments");

        Assert.Contains("NaN", _taba.Last.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Measure_RunWithFailedRows_LeavesThemOutAsItsMetricsDo()
    {
        var folder = await RunAsync("run", "--with_inversion", "--with_reconstruction", "--format", "safetensors");
        await _taba.DoneAsync("measure", folder, "--metrics", "moments", "--json");
        var whole = Moments();
        // As a run that lost its first two samples would stand.
        var path = Path.Combine(folder, "manifest.json");
        var manifest = JsonNode.Parse(File.ReadAllBytes(path))!;
        manifest["failed"] = new JsonArray(new JsonObject { ["stage"] = "s", ["kind"] = "NonFinite", ["start"] = 0, ["end"] = 2 });
        File.WriteAllText(path, manifest.ToJsonString());
        var samples = Path.Combine(folder, "samples.safetensors");
        var bytes = File.ReadAllBytes(samples);
        var rowBytes = 3 * 16 * 16 * sizeof(float);
        Array.Fill(bytes, (byte)0xff, bytes.Length - 12 * rowBytes, 2 * rowBytes);
        // What the store has is linked.
        File.Delete(samples);
        File.WriteAllBytes(samples, bytes);

        await _taba.DoneAsync("measure", folder, "--metrics", "moments", "--json");

        var rest = Moments();
        Assert.True(double.IsFinite(rest));
        Assert.NotEqual(whole, rest);

        double Moments() => JsonDocument.Parse(_taba.Last.Output).RootElement
            .GetProperty("metrics").GetProperty("moments").GetProperty("samples").GetProperty("mean").GetDouble();
    }

    [Fact]
    public async Task Measure_TensorWithoutValues_IsLeftOut()
    {
        var folder = await RunAsync("run", "--format", "safetensors");
        File.Delete(Path.Combine(folder, "samples.safetensors"));
        var header = """{"samples":{"dtype":"F32","shape":[4,3,0,0],"data_offsets":[0,0]}}""";
        File.WriteAllBytes(
            Path.Combine(folder, "samples.safetensors"),
            [.. BitConverter.GetBytes((ulong)header.Length), .. System.Text.Encoding.UTF8.GetBytes(header)]);

        await _taba.DoneAsync("measure", folder, "--metrics", "moments");

        Assert.Contains("moments.noise.mean", _taba.Last.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("moments.samples", _taba.Last.Output, StringComparison.Ordinal);
    }
}
