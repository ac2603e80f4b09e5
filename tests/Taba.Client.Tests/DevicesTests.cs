using System.Text.Json.Nodes;
using Taba.Client.Folders;
using Taba.Diffusion.Tensors;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>
/// Commands on several devices: on shares of this machine's processor. Which of them computed what is in the manifest, and nowhere in the
/// numbers.
/// </summary>
public sealed class DevicesTests : IDisposable
{
    const int Samples = 128;
    const int Steps = 4;

    readonly CommandLine _taba = new();

    public DevicesTests() => Assert.SkipUnless(Environment.ProcessorCount >= 2, "A share of the processor has at least one core.");

    public void Dispose() => _taba.Dispose();

    string[] Sample(string folder, params string[] more) =>
    [
        "sample", "adm", "--model", TinyModels.Adm(_taba.At("tiny", "model.json")), "--n_samples", $"{Samples}", "--num_inference_steps",
        $"{Steps}", "--with_inversion", "--with_reconstruction", "--internal", "--batch_size", "8", "--save_dir", _taba.At(folder, "run"),
        .. more,
    ];

    [Fact]
    public async Task Sample_DeterministicOnTwoDevices_LeavesTheBytesOfOneAndBothAreBusy()
    {
        await _taba.DoneAsync(Sample("one", "--device", "cpu", "--deterministic"));
        await _taba.DoneAsync(Sample("two", "--device", "cpu", "--deterministic", "--num_processes", "2"));

        var files = Directory.GetFiles(_taba.At("one", "run"), "*.pt");
        // The noise, a result and three kept tensors of each stage.
        Assert.Equal(1 + (3 * 4), files.Length);
        foreach (var file in files)
            Assert.Equal(
                await File.ReadAllBytesAsync(file), await File.ReadAllBytesAsync(_taba.At("two", "run", Path.GetFileName(file))));
        Assert.Equal(Json("one", "metrics.json")["metrics"]!.ToJsonString(), Json("two", "metrics.json")["metrics"]!.ToJsonString());
        foreach (var stage in Json("two", "manifest.json")["stages"]!.AsArray())
        {
            var devices = stage!["devices"]!.AsObject();
            Assert.Equal(["cpu:0", "cpu:1"], devices.Select(d => d.Key));
            Assert.Equal(Samples * Steps, devices.Sum(d => (long)d.Value!));
            Assert.All(devices, d => Assert.True((long)d.Value! >= Samples * Steps / 4, $"{d.Key} did {d.Value} evaluations"));
        }
        Assert.Equal("""{"cpu":512}""", Json("one", "manifest.json")["stages"]![0]!["devices"]!.ToJsonString());
    }

    [Fact]
    public async Task Sample_OnTwoDevices_ComputesWhatOneDoesWithinRounding()
    {
        await _taba.DoneAsync(Sample("one", "--device", "cpu"));
        await _taba.DoneAsync(Sample("two", "--devices", "cpu:0,cpu:1"));
        foreach (var name in new[] { "samples", "latents", "samples2" })
        {
            var (one, two) = (Values("one", name), Values("two", name));
            TensorAssert.Close(two, one, atol: 1e-3, rtol: 1e-3, name);
        }
    }

    [Fact]
    public async Task Run_OnEveryDevice_SaysSoInThePlanOfTheNext()
    {
        var sweep = _taba.Write("sweep.yaml", $$"""
            name: tiny
            model: {{_taba.GaussianModel()}}
            samples: {{Samples}}
            num_inference_steps: 10
            stages: [sample]
            device: cpu
            num_processes: 2
            """);
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
        await _taba.DoneAsync("plan", sweep, "samples=256", "--out", _taba.At("out"), "--json");
        var two = (double)JsonNode.Parse(_taba.Last.Output)!["estimated_seconds"]!;
        Assert.True(two > 0);

        // A share's speed says nothing of the whole processor's.
        await _taba.DoneAsync("plan", sweep, "samples=256", "--out", _taba.At("out"), "--json", "--num_processes", "1");
        Assert.Null(JsonNode.Parse(_taba.Last.Output)!["estimated_seconds"]);
    }

    [Theory]
    [InlineData("--num_processes", "100000", "this process may use")]
    [InlineData("--num_processes", "0", "num_processes is 0")]
    [InlineData("--devices", "cpu:0,cuda:0", "of one kind")]
    [InlineData("--device", "cpu:0,cpu:0", "twice")]
    public async Task Sample_OnDevicesThatAreNotThere_IsRefused(string flag, string value, string reason) =>
        Assert.Contains(reason, await _taba.RefuseAsync(
            "sample", "gaussian", "--model", _taba.GaussianModel(), "--n_samples", "4", "--num_inference_steps", "10", "--save_dir",
            _taba.At("out", "run"), flag, value), StringComparison.Ordinal);

    float[] Values(string folder, string name)
    {
        using var file = TensorFile.Open(_taba.At(folder, "run", $"{name}.pt"));
        return FloatReader.Rows(file.Tensor(name), 0, Samples);
    }

    JsonNode Json(string folder, string file) => JsonNode.Parse(File.ReadAllText(_taba.At(folder, "run", file)))!;
}
