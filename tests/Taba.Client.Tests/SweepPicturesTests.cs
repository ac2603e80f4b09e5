using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>Sweeps whose runs are measured by networks that the sweep file names.</summary>
public sealed class SweepPicturesTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    string Sweep(string metrics, string more, int samples = 12, string model = "") => _taba.Write("nets.yaml", $$"""
        name: nets
        model: {{(model.Length > 0 ? model : _taba.GaussianModel(size: 32))}}
        samples: {{samples}}
        seed: 420
        num_inference_steps: 2
        metrics: {{metrics}}
        {{more}}
        """);

    string Networks(bool withInception = false) => "features: { " + string.Join(", ",
    [
        $"dino: {FeatureCheckpoints.WriteVit(_taba.At("dino"))}", $"clip: {FeatureCheckpoints.WriteClip(_taba.At("clip"))}",
        $"alexnet: {FeatureCheckpoints.WriteAlexNet(_taba.At("alexnet.safetensors"))}",
        $"lpips: {FeatureCheckpoints.WriteLpips(_taba.At("lpips.safetensors"))}",
        .. withInception ? [$"inception: {Inception()}"] : Array.Empty<string>(),
    ]) + " }";

    string Inception() => File.Exists(_taba.At("inception.safetensors"))
        ? _taba.At("inception.safetensors")
        : FeatureCheckpoints.WriteInception(_taba.At("inception.safetensors"));

    string Flag(params string[] networks) => string.Join(',', networks.Select(name => $"{name}=" + (name is "dino" or "clip"
        ? _taba.At(name) : _taba.At($"{name}.safetensors"))));

    async Task<JsonElement> WrittenAsync(string sweep)
    {
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"), "--device", "cpu", "--json");
        return JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder(), "metrics.json"))).RootElement.GetProperty("analyses");
    }

    string Folder() => Assert.Single(
        Directory.GetDirectories(_taba.At("out", "nets")), d => File.Exists(Path.Combine(d, "metrics.json")));

    [Fact]
    public async Task Run_WithNetworks_HasTheNumbersOfMeasure()
    {
        await _taba.DoneAsync("run", Sweep("none", "stages: [sample]", samples: 9), "--out", _taba.At("other"), "--device", "cpu");
        var reference = Assert.Single(Directory.GetFiles(_taba.At("other", "nets"), "samples.safetensors", SearchOption.AllDirectories));
        var sweep = Sweep(
            "[paper, fid, inception-score, lpips, dino, clip-images]", $"{Networks(withInception: true)}\nreference: {reference}");

        var written = await WrittenAsync(sweep);

        await _taba.DoneAsync(
            "measure", Folder(), "--metrics", "fid,inception-score,lpips,dino,clip-images", "--features",
            Flag("inception", "alexnet", "lpips", "dino", "clip"), "--reference", reference, "--device", "cpu", "--json");
        var measured = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics");
        Assert.Equal(5, written.EnumerateObject().Count());
        Same(measured, written);
        Assert.Equal(9, written.GetProperty("fid").GetProperty("reference_n").GetInt32());
        Assert.Contains("fid", File.ReadAllText(_taba.At("out", "nets", "results.csv")), StringComparison.Ordinal);
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder(), "manifest.json")))!;
        Assert.Equal(
            ["alexnet", "clip", "dino", "inception", "lpips", "reference"],
            manifest["features"]!.AsObject().Select(f => f.Key));
    }

    [Fact]
    public async Task Run_OfManySamples_ComparesPairsInBlocksAsInOnePiece()
    {
        var networks = Networks().Replace(", alexnet", " } # ", StringComparison.Ordinal);
        var sweep = Sweep("[dino, clip-images]", networks, samples: 2050);

        var written = await WrittenAsync(sweep);

        await _taba.DoneAsync(
            "measure", Folder(), "--metrics", "dino,clip-images", "--features", Flag("dino", "clip"), "--device", "cpu", "--json");
        Same(JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics"), written);
        await _taba.DoneAsync("store", "ls", "--out", _taba.At("out"));
        Assert.Matches("measure .* 16", _taba.Last.Output);

        await _taba.DoneAsync("plan", sweep, "--out", _taba.At("out"), "--device", "cpu");
        Assert.Matches("measure by clip and dino reconstruct T=2 .* 16 +16 ", _taba.Last.Output);
    }

    [Theory]
    [InlineData("the weights of inception are not named: add features.inception: PATH", "[fid]", "reference: PICTURES")]
    [InlineData("there is nothing to compare with", "[fid]", "features: { inception: INCEPTION }")]
    [InlineData("features names inception, by which no metric is measured", "[paper]", "features: { inception: INCEPTION }")]
    [InlineData("no metric compares with it", "[dino]", "features: { dino: DINO }\nreference: PICTURES")]
    [InlineData("'incepton', which is no network. Did you mean inception?", "[fid]", "features: { incepton: x }")]
    [InlineData("expected a mapping of networks to paths", "[fid]", "features: inception.pth")]
    [InlineData("There is no file nowhere.pth, which features.inception names", "[fid]", "features: { inception: nowhere.pth }")]
    [InlineData("There is no file nowhere, which reference names", "[fid]", "features: { inception: INCEPTION }\nreference: nowhere")]
    [InlineData("features.dino: ", "[dino]", "features: { dino: PICTURES }")]
    [InlineData("do not fit the model's architecture", "[precision-recall]", "features: { vgg: INCEPTION }\nreference: PICTURES")]
    [InlineData("needs 1000 pictures", "[kid]", "features: { inception: INCEPTION }\nreference: PICTURES")]
    [InlineData("needs 2 pictures, and reference", "[fid]", "features: { inception: INCEPTION }\nreference: PICTURES")]
    [InlineData("needs 10 samples, and there are 9", "[inception-score]", "features: { inception: INCEPTION }\nsamples: 9")]
    [InlineData("takes no text", "[clip-score]", "features: { clip: CLIP }")]
    [InlineData("add the reconstruct stage", "[dino]", "features: { dino: DINO }\nstages: [sample, invert]")]
    public async Task Run_WhatCannotBeMeasured_IsRefusedInASentence(string expected, string metrics, string more)
    {
        Directory.CreateDirectory(_taba.At("pictures"));
        using (var bitmap = new SkiaSharp.SKBitmap(40, 40))
        using (var file = File.Create(_taba.At("pictures", "1.png")))
            bitmap.Encode(file, SkiaSharp.SKEncodedImageFormat.Png, 100);
        var text = more.Replace("PICTURES", _taba.At("pictures"), StringComparison.Ordinal)
            .Replace("INCEPTION", more.Contains("INCEPTION", StringComparison.Ordinal) ? Inception() : "", StringComparison.Ordinal)
            .Replace("CLIP", more.Contains("CLIP", StringComparison.Ordinal) ? FeatureCheckpoints.WriteClip(_taba.At("clip")) : "",
                StringComparison.Ordinal)
            .Replace("DINO", more.Contains("DINO", StringComparison.Ordinal) ? FeatureCheckpoints.WriteVit(_taba.At("dino")) : "",
                StringComparison.Ordinal);
        var sweep = Sweep(metrics, text.Replace("samples: 9", "", StringComparison.Ordinal),
            samples: text.Contains("samples: 9", StringComparison.Ordinal) ? 9 : 12);

        Assert.Contains(
            expected, await _taba.RefuseAsync("run", sweep, "--out", _taba.At("out"), "--device", "cpu"), StringComparison.Ordinal);
    }

    static void Same(JsonElement expected, JsonElement written)
    {
        foreach (var analysis in written.EnumerateObject())
        {
            foreach (var number in analysis.Value.EnumerateObject())
            {
                var (a, b) = (expected.GetProperty(analysis.Name).GetProperty(number.Name).GetDouble(), number.Value.GetDouble());
                Assert.True(
                    Math.Abs(a - b) <= 1e-4 * Math.Max(1e-3, Math.Abs(a)),
                    $"{analysis.Name}.{number.Name}: {a} by measure, {b} in the sweep");
            }
        }
    }
}
