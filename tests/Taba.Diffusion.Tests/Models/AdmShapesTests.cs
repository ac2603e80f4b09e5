using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Models.Families;
using Taba.Diffusion.Weights;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

public sealed class AdmShapesTests
{
    public static TheoryData<string> Flags =>
    [
        """ "image_size": 32, "num_channels": 128, "num_res_blocks": 3, "learn_sigma": true """,
        """ "image_size": 64, "num_channels": 128, "num_res_blocks": 3, "attention_resolutions": "16,8" """,
        """ "image_size": 256, "num_channels": 64, "num_res_blocks": 2, "attention_resolutions": "32,16,8", "resblock_updown": true """,
        """ "image_size": 512, "num_channels": 64, "num_res_blocks": 1, "attention_resolutions": "32", "resblock_updown": true """,
        """ "image_size": 128, "num_channels": 32, "num_res_blocks": 2, "attention_resolutions": "", "use_scale_shift_norm": false """,
        """ "image_size": 32, "num_channels": 64, "num_res_blocks": 1, "channel_mult": "3", "attention_resolutions": "32" """
            + """, "class_cond": true, "num_classes": 10 """,
        """ "image_size": 48, "num_channels": 32, "num_res_blocks": 1, "channel_mult": "2", "attention_resolutions": "48" """,
        """ "image_size": 32, "num_channels": 32, "num_res_blocks": 1, "class_cond": true, "resblock_updown": true """,
    ];

    [Theory]
    [MemberData(nameof(Flags))]
    public void Read_ShapesOfAnArchitecture_GivesItsFlags(string flags)
    {
        using var folder = new TempFolder();
        var expected = Definition(folder, $$"""{ "family": "adm", {{flags}} }""").Config;

        var read = AdmShapes.Read(new ShapesOnly(AdmParameters.Expected(expected)), expected.ImageSize);

        Assert.Equal(expected.Canonical(), read.Canonical());
        // What is written is read again, and is told to be a guess where no shape says it.
        var described = Definition(folder, AdmModelFile.Text(read, "w.pt", []));
        Assert.Equal(expected.Canonical(), described.Config.Canonical());
        Assert.Equal(folder.At("w.pt"), described.WeightsPath);
        Assert.Equal(AdmShapes.Untold, described.Unconfirmed);
        Assert.Empty(described.Assumed);
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(512)]
    public void Read_LevelsOfAUsualSize_TakesThatSize(int size)
    {
        var config = new AdmConfig { ImageSize = size, NumChannels = 64, NumResBlocks = 1 };
        Assert.Equal(size, AdmShapes.Read(new ShapesOnly(AdmParameters.Expected(config)), null).ImageSize);
    }

    [Fact]
    public void Read_LevelsOfNoUsualSize_AsksForIt()
    {
        var config = new AdmConfig { ImageSize = 48, NumChannels = 32, NumResBlocks = 1, ChannelMult = [1, 5] };
        var error = Assert.Throws<InvalidDataException>(
            () => AdmShapes.Read(new ShapesOnly(AdmParameters.Expected(config)), null));
        Assert.Contains("levels of 32, 160 channels", error.Message, StringComparison.Ordinal);
        Assert.Contains("--image_size", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("time_embed.0.weight", "is not a UNet of guided-diffusion")]
    [InlineData("middle_block.1.qkv.weight", "middle_block.1.qkv.weight")]
    [InlineData("output_blocks.1.0.out_layers.3.weight", "")]
    public void Read_WithoutAParameter_IsRefused(string missing, string expected)
    {
        var config = new AdmConfig { ImageSize = 32, NumChannels = 32, NumResBlocks = 1 };
        var error = Assert.ThrowsAny<Exception>(() => AdmShapes.Read(
            new ShapesOnly(AdmParameters.Expected(config).Where(p => p.Key != missing)), null));
        Assert.True(error is InvalidDataException or WeightsMismatchException, $"{error.GetType()}: {error.Message}");
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelFile_ThatLeavesOutTheSchedule_SaysWhatIsAssumed()
    {
        using var folder = new TempFolder();
        var read = Definition(
            folder, """{ "family": "adm", "image_size": 32, "num_channels": 32, "num_res_blocks": 1, "noise_schedule": "cosine" }""");
        Assert.Equal(["diffusion_steps = 1000", "rescale_timesteps = false", "num_heads = 4"], read.Assumed);
        Assert.Equal("1000 diffusion steps, noise schedule cosine, timesteps not rescaled", read.ScheduleText);
    }

    [Theory]
    [InlineData("PK", "m.pt is no model.json: ")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "'git lfs pull'")]
    public void ModelFile_ThatIsNoText_SaysWhatItIs(string bytes, string expected)
    {
        using var folder = new TempFolder();
        var path = folder.Write("m.pt", System.Text.Encoding.ASCII.GetBytes(bytes));
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => ModelFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelFile_ThatIsACheckpoint_SaysHowToDescribeIt()
    {
        using var folder = new TempFolder();
        var path = folder.Write("m.safetensors", [8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8]);
        var error = Assert.Throws<InvalidDataException>(() => ModelFile.Read(path));
        Assert.Contains($"'taba models describe {path} --write'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ClassCount_OfAnotherNumberOfClasses_IsTheModels()
    {
        using var folder = new TempFolder();
        var read = Definition(
            folder,
            """{ "family": "adm", "image_size": 32, "num_channels": 32, "num_res_blocks": 1, "class_cond": true, "num_classes": 10 }""");
        Assert.Equal(10, read.ClassCount);
        Assert.Contains(read.Parameters, p => p.Key == "label_emb.weight" && p.Value.AsSpan().SequenceEqual([10L, 128L]));
        Assert.Contains("num_classes=10 ", read.Canonical, StringComparison.Ordinal);
    }

    static AdmDefinition Definition(TempFolder folder, string json) =>
        Assert.IsType<AdmDefinition>(ModelFile.Read(folder.Write("model.json", System.Text.Encoding.UTF8.GetBytes(json))));

    /// <summary>A checkpoint of which only names and shapes are asked.</summary>
    sealed class ShapesOnly(IEnumerable<KeyValuePair<string, long[]>> parameters) : IWeightSource
    {
        readonly Dictionary<string, long[]> _shapes = new(parameters);

        public string Description => "a checkpoint";

        public IReadOnlyCollection<string> Names => _shapes.Keys;

        public bool TryGetShape(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out long[]? shape) =>
            _shapes.TryGetValue(name, out shape);

        public Tensor Load(string name, ScalarType dtype, Device device) => throw new NotSupportedException();
    }
}
