using System.Text.Json;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary><c>taba measure</c> with networks whose weights a user names.</summary>
public sealed class MeasurePicturesTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    async Task<string> RunAsync(string name, int seed = 1)
    {
        var folder = _taba.At(name);
        await _taba.DoneAsync([
            "sample", "gaussian", "--model", TinyModels.Gaussian(_taba.At("model.json"), imageSize: 32), "--n_samples", "11",
            "--num_inference_steps", "4", "--device", "cpu", "--save_dir", folder, "--with_inversion", "--with_reconstruction",
            "--seed", $"{seed}",
        ]);
        return folder;
    }

    [Fact]
    public async Task Measure_WithNetworks_HasTheirNumbersBesideTheOthers()
    {
        var folder = await RunAsync("run");
        File.WriteAllText(_taba.At("prompts.txt"), string.Join('\n', Enumerable.Range(0, 11).Select(i => $"picture {i}")));
        string[] networks =
        [
            $"clip={FeatureCheckpoints.WriteClip(_taba.At("clip"))}", $"dino={FeatureCheckpoints.WriteVit(_taba.At("dino"))}",
            $"alexnet={FeatureCheckpoints.WriteAlexNet(_taba.At("alexnet.safetensors"))}",
            $"lpips={FeatureCheckpoints.WriteLpips(_taba.At("lpips.safetensors"))}",
        ];

        await _taba.DoneAsync(
            "measure", folder, "--features", string.Join(',', networks), "--prompts", _taba.At("prompts.txt"), "--device", "cpu",
            "--batch_size", "4", "--json");

        var metrics = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics");
        Assert.True(metrics.TryGetProperty("paper", out _));
        Assert.InRange(Mean("dino"), 0.0, 1.0000001);
        Assert.InRange(Mean("clip-images"), 0.0, 1.0000001);
        Assert.InRange(Mean("clip-score"), 0.0, 2.5);
        Assert.NotEqual(0, Mean("lpips"));
        Assert.False(metrics.TryGetProperty("fid", out _));

        double Mean(string name) => metrics.GetProperty(name).GetProperty("mean").GetDouble();
    }

    [Fact]
    public async Task Measure_FidOfARunToItself_IsNothingAndToAnotherIsNot()
    {
        var (folder, other) = (await RunAsync("run"), await RunAsync("other", seed: 2));
        var inception = FeatureCheckpoints.WriteInception(_taba.At("inception.safetensors"));

        Assert.InRange(await FidAsync(folder), 0, 1e-6);
        Assert.InRange(await FidAsync(other), 1e-4, 1e6);

        async Task<double> FidAsync(string reference)
        {
            await _taba.DoneAsync(
                "measure", folder, "--features", $"inception={inception}", "--reference", Path.Combine(reference, "samples.pt"),
                "--metrics", "fid", "--device", "cpu", "--json");
            var fid = JsonDocument.Parse(_taba.Last.Output).RootElement.GetProperty("metrics").GetProperty("fid");
            Assert.Equal(11, fid.GetProperty("reference_n").GetInt32());
            return fid.GetProperty("value").GetDouble();
        }
    }

    [Theory]
    [InlineData("the weights of inception are not named (--features inception=PATH)", "--metrics", "fid")]
    [InlineData("there is nothing to compare with", "--metrics", "kid", "--features", "inception=INCEPTION")]
    [InlineData(
        "it needs 1000 pictures, and the reference has 11", "--metrics", "kid", "--features", "inception=INCEPTION", "--reference",
        "RUN/samples.pt")]
    [InlineData("by clip-score: the folder has no prompts", "--metrics", "clip-score", "--features", "clip=CLIP")]
    [InlineData("'incepton', which is no network. Did you mean inception?", "--features", "incepton=x")]
    [InlineData("write NETWORK=PATH", "--features", "inception")]
    [InlineData("nowhere.pth", "--features", "inception=nowhere.pth")]
    [InlineData("do not fit the model's architecture", "--features", "vgg=INCEPTION")]
    [InlineData("config.json", "--features", "dino=RUN")]
    [InlineData("no file or folder nowhere", "--features", "inception=INCEPTION", "--reference", "nowhere")]
    [InlineData(".pt among its pictures", "--features", "inception=INCEPTION", "--reference", "RUN")]
    [InlineData("--batch_size is 0", "--batch_size", "0")]
    public async Task Measure_WhatCannotBe_IsRefusedBeforeAnythingIsComputed(string expected, params string[] arguments)
    {
        var folder = await RunAsync("run");
        var all = arguments.Select(argument => argument
            .Replace("INCEPTION", Inception(), StringComparison.Ordinal)
            .Replace("CLIP", argument.Contains("CLIP", StringComparison.Ordinal) ? FeatureCheckpoints.WriteClip(_taba.At("clip")) : "",
                StringComparison.Ordinal)
            .Replace("RUN", folder, StringComparison.Ordinal)).ToList();

        Assert.Contains(expected, await _taba.RefuseAsync(["measure", folder, "--device", "cpu", .. all]), StringComparison.Ordinal);
        Assert.DoesNotContain("correlation", _taba.Last.Output, StringComparison.Ordinal);

        string Inception() => File.Exists(_taba.At("inception.safetensors"))
            ? _taba.At("inception.safetensors")
            : FeatureCheckpoints.WriteInception(_taba.At("inception.safetensors"));
    }
}
