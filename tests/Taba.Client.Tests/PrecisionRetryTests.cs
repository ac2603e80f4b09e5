using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Taba.Diffusion.Tensors;
using Taba.Testing.Client;
using TorchSharp;

namespace Taba.Client.Tests;

/// <summary>A command whose input holds a value that no precision can invert.</summary>
public sealed class PrecisionRetryTests : IDisposable
{
    const int Images = 12;
    const int Bad = 7;

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Theory]
    [InlineData("bfloat16", true)]
    [InlineData("float32", false)]
    public async Task Sample_InfiniteValueInAnImage_FailsThatSampleAndSaysWhatWasTried(string dtype, bool triedAgain)
    {
        var folder = _taba.At("out", "run");
        var ended = await _taba.RunAsync(
            "sample", "gaussian", "--model", _taba.GaussianModel(), "--num_inference_steps", "10", "--input_image_path", Write(),
            "--with_inversion",
            "--dtype", dtype, "--save_dir", folder);

        ended.ShouldEnd(ExitStatus.SamplesFailed);
        Assert.Contains($"Sample {Bad} of stage", ended.Errors, StringComparison.Ordinal);
        Assert.Equal(triedAgain, ended.Errors.Contains("Computed again after NaN or Inf in bfloat16", StringComparison.Ordinal));
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "manifest.json")))!;
        Assert.Equal(Bad, (int)Assert.Single(manifest["failures"]!.AsArray())!["sample"]!);
        Assert.Empty(manifest["retried"]!.AsArray());
        var file = Directory.GetFiles(folder, "latents.*").Single();
        using var latents = TensorFile.Open(file);
        var rows = new float[Images * 3 * 8 * 8];
        latents.Single("latents").ReadRows(0, Images, MemoryMarshal.AsBytes(rows.AsSpan()));
        for (var row = 0; row < Images; row++)
            Assert.Equal(row == Bad, rows.AsSpan(row * 192, 192).ToArray().All(float.IsNaN));
    }

    string Write()
    {
        var values = new float[Images * 3 * 8 * 8];
        for (var i = 0; i < values.Length; i++)
            values[i] = MathF.Sin(i * 0.7f);
        values[(Bad * 3 * 8 * 8) + 5] = float.PositiveInfinity;
        var path = _taba.At("images.safetensors");
        using var writer = TensorFileWriter.Create(path, TensorFormat.Safetensors, "samples", torch.ScalarType.Float32, [Images, 3, 8, 8]);
        writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        writer.Complete();
        return path;
    }
}
