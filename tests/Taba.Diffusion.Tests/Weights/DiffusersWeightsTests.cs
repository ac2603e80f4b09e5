using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Weights;

public sealed class DiffusersWeightsTests : IDisposable
{
    readonly ComponentFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_BinAndSafetensorsOfOneModel_HoldTheSameTensors()
    {
        // The .bin carries the attention names of 2022, the safetensors file today's.
        var folder = Fixtures.At("models/ldm_tiny/vqvae");
        using var current = DiffusersWeights.Open(folder);
        using var raw = WeightsFile.Open(Path.Combine(folder, "diffusion_pytorch_model.bin"));
        var old = DiffusersWeights.Renamed(raw);

        Assert.EndsWith("diffusion_pytorch_model.safetensors", current.Description, StringComparison.Ordinal);
        Assert.Contains(raw.Names, name => name.EndsWith("query.weight", StringComparison.Ordinal));
        Assert.Equal(current.Names.Order(StringComparer.Ordinal), old.Names.Order(StringComparer.Ordinal));
        foreach (var name in current.Names)
        {
            using var scope = NewDisposeScope();
            Assert.True(current.TryGetShape(name, out var expected) && old.TryGetShape(name, out var actual) && expected.SequenceEqual(
                actual), name);
            Assert.True(
                current.Load(name, ScalarType.Float32, CPU).equal(old.Load(name, ScalarType.Float32, CPU)).all().item<bool>(), name);
        }
    }

    [Fact]
    public void Open_Shards_AreOneCheckpoint()
    {
        using var weights = DiffusersWeights.Open(Fixtures.At("models/if_tiny/text_encoder"));
        Assert.Equal(21, weights.Names.Count);
        Assert.Equal(4, weights.Files.Count);
        Assert.True(weights.Set.IsSharded);
        foreach (var name in weights.Names)
        {
            using var tensor = weights.Load(name, ScalarType.Float32, CPU);
            Assert.True(weights.TryGetShape(name, out var shape));
            Assert.Equal(shape, tensor.shape);
        }

        using var shard = WeightsFile.Open(weights.Files[3]);
        using var scope = NewDisposeScope();
        var direct = shard.Load("encoder.final_layer_norm.weight", ScalarType.Float32, CPU);
        var through = weights.Load("encoder.final_layer_norm.weight", ScalarType.Float32, CPU);
        Assert.True(direct.equal(through).all().item<bool>());
    }

    [Theory]
    [InlineData(null, "diffusion_pytorch_model.safetensors")]
    [InlineData("fp16", "diffusion_pytorch_model.fp16.safetensors")]
    [InlineData("non_ema", "diffusion_pytorch_model.non_ema.bin")]
    public void Find_SeveralSets_IsThePreferredOne(string? variant, string expected)
    {
        foreach (var name in new[]
        {
            "diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
            "diffusion_pytorch_model.fp16.bin", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.non_ema.bin",
            "config.json",
        })
        {
            _folder.Write(name, []);
        }

        Assert.Equal(expected, DiffusersWeights.Find(_folder.Path, variant).EntryFile);
    }

    [Theory]
    [InlineData("model.fp16.safetensors", "model.fp16.safetensors model.bf16.safetensors model.ema.safetensors")]
    [InlineData("model.bf16.safetensors", "model.bf16.safetensors model.ema.safetensors")]
    [InlineData("model.ema.safetensors", "model.ema.safetensors pytorch_model.ema.bin")]
    [InlineData("model.safetensors.index.fp16.json",
        "model.safetensors.index.fp16.json model.fp16-00001-of-00002.safetensors model.fp16-00002-of-00002.safetensors")]
    [InlineData("model.fp16.safetensors.index.json", "model.fp16.safetensors.index.json model-00001-of-00001.fp16.safetensors")]
    [InlineData("pytorch_model.bin.index.json", "pytorch_model.bin.index.json pytorch_model-00001-of-00002.bin model.fp16.safetensors")]
    public void Find_WithoutAVariant_FollowsTheRule(string expected, string files)
    {
        foreach (var name in files.Split(' '))
            _folder.Write(name, []);
        Assert.Equal(expected, DiffusersWeights.Find(_folder.Path).EntryFile);
    }

    [Fact]
    public void Find_VariantThatIsAbsent_SaysWhatThereIs()
    {
        _folder.Scalar("model.fp16.safetensors", "a", 1);
        var error = Assert.Throws<InvalidDataException>(() => DiffusersWeights.Find(_folder.Path, "bf16"));
        Assert.Contains("'bf16'", error.Message, StringComparison.Ordinal);
        Assert.Contains("model.fp16.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_SeveralUnknownVariants_AsksForOne()
    {
        _folder.Write("model.ema.safetensors", []);
        _folder.Write("model.raw.safetensors", []);
        Assert.Contains(
            "ema, raw", Assert.Throws<InvalidDataException>(() => DiffusersWeights.Find(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model-00001-of-00002.safetensors")]
    [InlineData("pytorch_model.safetensors")]
    [InlineData("model.fp16.safetensors.index.fp16.json")]
    public void Find_NoWeights_SaysWhatIsExpected(string file)
    {
        _folder.Write(file, []);
        Assert.Contains("holds no weights", Assert.Throws<InvalidDataException>(
            () => DiffusersWeights.Find(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_NoFolder_NamesIt() =>
        Assert.Contains(
            "unet", Assert.Throws<InvalidDataException>(() => DiffusersWeights.Find(_folder.At("unet"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Open_LinkToAFileThatIsGone_SaysSo()
    {
        File.CreateSymbolicLink(_folder.At("model.safetensors"), "gone");
        Assert.Contains(
            "is gone", Assert.Throws<InvalidDataException>(() => DiffusersWeights.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }
}
