using Taba.Storage.RunFolders;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Taba.Diffusion.Tensors;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;
using Taba.Silo.Hosting;
using Taba.Silo.Inputs;
using Taba.Silo.Models;
using Taba.Silo.Outputs;
using TorchSharp;

namespace Taba.Silo.Tests.Hosting;

/// <summary>An image that does not fit half precision, through a whole silo to the run folder.</summary>
public sealed class PrecisionRetryTests : IDisposable
{
    const int Samples = 40;
    const int Overflowing = 33;

    readonly string _folder = Directory.CreateTempSubdirectory("taba-precision-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Submit_ImageThatOverflowsHalfPrecision_IsInvertedInFloat32AndNamed(bool deterministic)
    {
        var half = Plan(Dtype.Float16, deterministic);
        await using var silo = await StartAsync(Path.Combine(_folder, ".taba"));
        var status = await EmbeddedSiloTests.RunAsync(silo, half);

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Empty(status.Failures);
        using var folders = new RunFolderWriter(silo.Store, new RunFolderOptions(), TimeProvider.System);
        var folder = Path.Combine(_folder, "half");
        var written = await folders.WriteAsync(half, half.Runs[0], OutputFolder.At(folder), status, CancellationToken.None);

        // What float32 computes from the start.
        var whole = Plan(Dtype.Float32, deterministic);
        var wholeStatus = await EmbeddedSiloTests.RunAsync(silo, whole);
        var wholeFolder = Path.Combine(_folder, "whole");
        await folders.WriteAsync(whole, whole.Runs[0], OutputFolder.At(wholeFolder), wholeStatus, CancellationToken.None);
        Assert.Empty(wholeStatus.Substitutions);

        var (latents, wholeLatents) = (Read(folder, "latents"), Read(wholeFolder, "latents"));
        var rowBytes = wholeLatents.Length / Samples;
        Assert.Equal(
            wholeLatents.AsSpan(Overflowing * rowBytes, rowBytes).ToArray(), latents.AsSpan(Overflowing * rowBytes, rowBytes).ToArray());
        Assert.NotEqual(wholeLatents.AsSpan(0, rowBytes).ToArray(), latents.AsSpan(0, rowBytes).ToArray());
        Assert.All(MemoryMarshal.Cast<byte, float>(latents).ToArray(), value => Assert.True(float.IsFinite(value)));
        Assert.All(MemoryMarshal.Cast<byte, float>(Read(folder, "samples2")).ToArray(), value => Assert.True(float.IsFinite(value)));

        // Its latent does not fit either, so that the reconstruction is computed again too.
        Assert.Equal([half.Stages[0].Key, half.Stages[1].Key], written.Retried.Select(r => r.Stage));
        Assert.All(written.Retried, retry => Assert.Equal(
            (Overflowing, Dtype.Float32, Dtype.Float32, Dtype.Float16, Dtype.Float32),
            (retry.Sample, retry.FromDtype, retry.ToDtype, retry.FromStateDtype, retry.ToStateDtype)));
        Assert.Equal([half.Stages[0].Key, half.Stages[1].Key], written.Substitutes.Select(s => s.Stage));
        var json = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, RunFolder.ManifestName)))!;
        Assert.Equal("float32", (string?)json["retried"]![0]!["to_dtype"]);
        Assert.Equal(Overflowing, (int)json["retried"]![0]!["sample"]!);
        Assert.Contains(
            "reconstruction_error", await File.ReadAllTextAsync(Path.Combine(folder, "metrics.json")), StringComparison.Ordinal);

        // Under the planned keys that row does not exist.
        foreach (var stage in half.Stages)
            Assert.DoesNotContain(
                await silo.Store.ListAsync(stage.Key, CancellationToken.None), m => m.Rows.Contains(new(Overflowing, Overflowing + 1)));
        // Written again it is the same folder.
        Assert.Equal(
            written.WrittenAt,
            (await folders.WriteAsync(half, half.Runs[0], OutputFolder.At(folder), status, CancellationToken.None)).WrittenAt);
    }

    SweepPlan Plan(Dtype state, bool deterministic)
    {
        var device = SiloDevices.Resolve("cpu")[0];
        var spec = new SweepSpec
        {
            Name = $"gaussian-{state.Name()}",
            Models = [GaussianModel.Write(_folder)],
            NumInferenceSteps = [10],
            WithSampling = false,
            ImagesPath = Images(),
            WithInversion = true,
            WithReconstruction = true,
            Deterministic = deterministic,
        };
        return new SweepPlanner(new HalfStates(new ModelCatalogue(device, null), state), new TensorInputFiles(), device.Kind).Plan(spec);
    }

    /// <summary>One image has a value that float16 does not.</summary>
    string Images()
    {
        var path = Path.Combine(_folder, "images.safetensors");
        if (File.Exists(path))
            return path;
        var values = new float[Samples * 3 * 8 * 8];
        for (var i = 0; i < values.Length; i++)
            values[i] = MathF.Sin(i * 0.7f);
        values[(Overflowing * 3 * 8 * 8) + 17] = 100_000;
        using var writer = TensorFileWriter.Create(path, TensorFormat.Safetensors, "samples", torch.ScalarType.Float32, [Samples, 3, 8, 8]);
        writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        writer.Complete();
        return path;
    }

    static byte[] Read(string folder, string name)
    {
        using var file = TensorFile.Open(Path.Combine(folder, $"{name}.safetensors"));
        var tensor = file.Tensor(name);
        // Not float16, in which the row that was computed again would be infinite.
        Assert.Equal(torch.ScalarType.Float32, tensor.Dtype);
        var bytes = new byte[Samples * 3 * 8 * 8 * tensor.ElementBytes];
        tensor.ReadRows(0, Samples, bytes);
        return bytes;
    }

    static Task<EmbeddedSilo> StartAsync(string storeRoot) => EmbeddedSilo.StartAsync(
        new EmbeddedSiloOptions { StoreRoot = storeRoot, Devices = SiloDevices.Resolve("cpu"), Command = "test" }, CancellationToken.None);

    /// <summary>Models as upstream has some of them on a GPU: the state in half precision.</summary>
    sealed class HalfStates(IModelCatalogue models, Dtype state) : IModelCatalogue
    {
        public ModelFacts Resolve(ModelSelection selection)
        {
            var facts = models.Resolve(selection);
            return new Facts(facts, state) { Identity = facts.Identity, Slug = facts.Slug };
        }

        sealed class Facts(ModelFacts facts, Dtype state) : ModelFacts
        {
            public override string? WhyNot(int numInferenceSteps) => facts.WhyNot(numInferenceSteps);

            public override int MaxForwardBefore(int numInferenceSteps) => facts.MaxForwardBefore(numInferenceSteps);

            public override Precision Resolve(PrecisionRequest request) => new(Dtype.Float32, state, Dtype.Float32);

            public override ModelFacts WithSampleSize(int height, int width) => throw new NotSupportedException();
        }
    }
}
