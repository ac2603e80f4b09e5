using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using Taba.Testing;
using TorchSharp;
using static Taba.Diffusion.Tests.Models.NetworkChecks;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Autoencoders;

public sealed class AutoencoderTests
{
    const string Vq = "models/ldm_tiny/vqvae", KL = "models/dit_tiny/vae";

    public static TheoryData<string> Published =>
        [.. PublishedConfigs.Named("ldm_celebahq_256_vqvae"), .. PublishedConfigs.Named("sd_vae")];

    internal static AutoencoderConfig Config(string folder, params (string Name, string? Json)[] changes)
    {
        var config = ConfigEdit.With($"{folder}/config.json", changes);
        return config.GetProperty("_class_name").GetString() == "VQModel"
            ? VqModelConfig.Parse(config, Source)
            : AutoencoderKLConfig.Parse(config, Source);
    }

    internal static IAutoencoder Network(string folder, ScalarType dtype = ScalarType.Float32, params (string Name, string? Json)[] changes)
    {
        var config = Config(folder, changes);
        return config.Load(new RandomWeights(config.Parameters()), CPU, dtype);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Published))]
    public void Constructor_PublishedConfigOnMeta_ParametersOfTheStateDict(string name)
    {
        var config = Config($"configs/{name}");
        PublishedConfigs.RequireManifest(name, config.Parameters());

        var onMeta = PublishedConfigs.OnMeta(config.Parameters());
        using IAutoencoder network = config is VqModelConfig vq
            ? new VqModel(vq, onMeta)
            : new AutoencoderKL((AutoencoderKLConfig)config, onMeta);

        Assert.Equal(DeviceType.META, network.Device.type);
    }

    [Theory]
    [InlineData(Vq, "_class_name", "\"AutoencoderTiny\"", "VQModel, AutoencoderKL")]
    [InlineData(Vq, "_class_name", null, "missing")]
    [InlineData(Vq, "norm_type", "\"spatial\"", "group")]
    [InlineData(Vq, "lookup_from_codebook", "true", "false")]
    [InlineData(Vq, "num_vq_embeddings", "0", "from 1")]
    [InlineData(Vq, "down_block_types", "[\"DownEncoderBlock2D\"]", "block_out_channels (3)")]
    [InlineData(Vq, "up_block_types", "[\"AttnUpDecoderBlock2D\",\"UpDecoderBlock2D\",\"UpDecoderBlock2D\"]", "UpDecoderBlock2D")]
    [InlineData(Vq, "block_out_channels", null, "missing")]
    [InlineData(Vq, "norm_num_groups", "9", "32, 32, 32")]
    [InlineData(Vq, "out_channels", "4", "in_channels (3)")]
    [InlineData(Vq, "act_fn", "\"geglu\"", "silu")]
    [InlineData(Vq, "layers_per_block", "1000000", "1 to 64")]
    [InlineData(KL, "down_block_types", "\"DownEncoderBlock2D\"", "array")]
    [InlineData(KL, "scaling_factor", "0", "number")]
    [InlineData(KL, "shift_factor", "0.1", "null")]
    [InlineData(KL, "latents_mean", "[0,0,0,0]", "null")]
    [InlineData(KL, "latents_std", "[1,1,1,1]", "null")]
    [InlineData(KL, "use_quant_conv", "false", "true")]
    [InlineData(KL, "use_post_quant_conv", "false", "true")]
    public void Read_UnsupportedValue_NamesFileFieldAndWhatIsKnown(string folder, string field, string? value, string known)
    {
        using var temp = new TempFolder();
        var file = Path.Combine(temp.Path, "config.json");
        File.WriteAllText(file, ConfigEdit.With($"{folder}/config.json", (field, value)).GetRawText());

        RequireRefused(() => AutoencoderDefinition.Read(temp.Path), field, known, file);
    }

    [Theory]
    [InlineData(Vq, "models/ldm_tiny", "vqvae", 3, 4)]
    [InlineData(KL, "models/dit_tiny", "vae", 4, 8)]
    public void Read_FolderOrComponent_SameDefinition(string path, string model, string component, int channels, int factor)
    {
        var alone = AutoencoderDefinition.Read(Fixtures.At(path));
        var ofModel = AutoencoderDefinition.Read(ModelFolder.Open(Fixtures.At(model)), component);

        Assert.Equal((alone.Folder, alone.Canonical), (ofModel.Folder, ofModel.Canonical));
        Assert.Equal((channels, factor), (alone.LatentChannels, alone.Factor));
        Assert.Equal(new StateShape(3, 8 * factor, 16 * factor), alone.PicturesOf(new StateShape(channels, 8, 16)));
        Assert.Equal(alone.WeightFiles(), ofModel.WeightFiles());
        Assert.NotEmpty(alone.WeightFiles());
        alone.CheckWeights();
    }

    [Fact]
    public void Read_NoConfig_NamesTheFile()
    {
        using var temp = new TempFolder();

        var error = Assert.Throws<InvalidDataException>(() => AutoencoderDefinition.Read(temp.Path));

        Assert.Contains(Path.Combine(temp.Path, "config.json"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CheckWeights_OtherArchitecture_Refuses()
    {
        using var temp = new TempFolder();
        File.WriteAllText(
            Path.Combine(temp.Path, "config.json"), ConfigEdit.With($"{KL}/config.json", ("latent_channels", "5")).GetRawText());
        foreach (var file in AutoencoderDefinition.Read(Fixtures.At(KL)).WeightFiles())
            File.Copy(file, Path.Combine(temp.Path, Path.GetFileName(file)));
        var definition = AutoencoderDefinition.Read(temp.Path);

        Assert.Throws<WeightsMismatchException>(definition.CheckWeights);
        Assert.Throws<WeightsMismatchException>(() => definition.Load(CPU, ScalarType.Float32));
    }

    [Theory]
    [InlineData(Vq, ScalarType.BFloat16, 0.1)]
    [InlineData(Vq, ScalarType.Float16, 0.02)]
    [InlineData(KL, ScalarType.BFloat16, 0.1)]
    [InlineData(KL, ScalarType.Float16, 0.02)]
    public void DecodeAndEncode_HalfPrecision_CloseToSinglePrecision(string folder, ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var single = Network(folder);
        using var half = Network(folder, dtype);
        var (latents, images) = (Noise(2, Config(folder).StateChannels, 8, 8), Noise(2, 3, 32, 32));

        RequireClose(single.Decode(latents), half.Decode(latents));
        RequireClose(single.Encode(images), half.Encode(images));

        void RequireClose(Tensor expected, Tensor actual)
        {
            Assert.Equal(ScalarType.Float32, actual.dtype);
            Assert.InRange((actual - expected).abs().max().item<float>(), 1e-6, tolerance * expected.abs().max().item<float>());
        }
    }

    [Theory]
    [InlineData(Vq)]
    [InlineData(KL)]
    public void DecodeAndEncode_FixedBatch_RowDoesNotDependOnNeighboursOrPlace(string folder)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(folder);
        var order = tensor([3L, 1, 1, 0]);
        var (latents, images) = (Noise(4, Config(folder).StateChannels, 8, 8), Noise(4, 3, 32, 32));

        Assert.True(
            network.Decode(latents.index_select(0, order)).equal(network.Decode(latents).index_select(0, order)).all().item<bool>());
        Assert.True(network.Encode(images.index_select(0, order)).equal(network.Encode(images).index_select(0, order)).all().item<bool>());
    }

    [Theory]
    [InlineData(Vq, "mid_block_add_attention", "false")]
    [InlineData(Vq, "vq_embed_dim", "5")]
    [InlineData(Vq, "act_fn", "\"relu\"")]
    [InlineData(Vq, "layers_per_block", "2")]
    [InlineData(Vq, "block_out_channels", "[16,32,48]")]
    [InlineData(KL, "mid_block_add_attention", "false")]
    [InlineData(KL, "block_out_channels", "[16,32,48,64]")]
    [InlineData(KL, "latent_channels", "6")]
    public void DecodeAndEncode_OtherSupportedConfig_FiniteResultsOfTheirShapes(string folder, string field, string value)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = Config(folder, (field, value));
        using var network = Network(folder, ScalarType.Float32, (field, value));

        var pictures = network.Decode(Noise(2, config.StateChannels, 4, 8));
        var states = network.Encode(pictures);

        Assert.Equal([2, 3, 4 * config.Factor, 8 * config.Factor], pictures.shape);
        Assert.Equal([2, config.StateChannels, 4, 8], states.shape);
        Assert.True(pictures.isfinite().all().item<bool>() && states.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("0.5")]
    [InlineData("2")]
    public void AutoencoderKL_OtherScalingFactor_StatesScaledByIt(string factor)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var one = Network(KL, ScalarType.Float32, ("scaling_factor", "1"));
        using var other = Network(KL, ScalarType.Float32, ("scaling_factor", factor));
        using var number = double.Parse(factor, System.Globalization.CultureInfo.InvariantCulture).ToScalar();
        var (latents, images) = (Noise(1, 4, 4, 4), Noise(1, 3, 32, 32));

        // Powers of two: to the last bit.
        Assert.True(other.Decode(latents.mul(number)).equal(one.Decode(latents)).all().item<bool>());
        Assert.True(other.Encode(images).equal(one.Encode(images).mul(number)).all().item<bool>());
    }

    [Fact]
    public void VqModel_ScalingFactor_ChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var one = Network(Vq, ScalarType.Float32, ("scaling_factor", null));
        using var other = Network(Vq, ScalarType.Float32, ("scaling_factor", "2"));
        var (latents, images) = (Noise(1, 3, 4, 4), Noise(1, 3, 16, 16));

        Assert.True(other.Decode(latents).equal(one.Decode(latents)).all().item<bool>());
        Assert.True(other.Encode(images).equal(one.Encode(images)).all().item<bool>());
    }

    [Theory]
    [InlineData(256)]
    [InlineData(3_000_000)]
    public void VqModel_QuantizedTwice_EntriesOfTheCodebookNearestOfAll(int entries)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = (VqModel)Network(Vq, ScalarType.Float32, ("num_vq_embeddings", $"{entries}"));
        var codebook = new RandomWeights(Config(Vq, ("num_vq_embeddings", $"{entries}")).Parameters()).Load(
            VqModel.Codebook, ScalarType.Float32, CPU);
        var z = Noise(2, 3, 2, 2);

        var quantized = network.Quantized(z);

        // With 3,000,000 entries the distances of the 8 vectors are held in more than one piece.
        var vectors = z.permute(0, 2, 3, 1).reshape(8, 1, 3);
        var least = (vectors - codebook).pow(Scalars.Two).sum(-1).amin([1]);
        Assert.True((z - quantized).pow(Scalars.Two).sum(1).flatten().allclose(least, rtol: 1e-4, atol: 1e-7));
        Assert.True(network.Quantized(quantized).equal(quantized).all().item<bool>());
    }

    [Theory]
    [InlineData(Vq)]
    [InlineData(KL)]
    public void DecodeAndEncode_ShapesThatDoNotFit_Refuses(string folder)
    {
        using var scope = NewDisposeScope();
        using var network = Network(folder);

        Assert.Throws<ArgumentException>(() => network.Decode(Noise(1, 7, 8, 8)));
        Assert.Throws<ArgumentException>(() => network.Decode(Noise(3, 8, 8)));
        Assert.Throws<ArgumentException>(() => network.Encode(Noise(1, 4, 32, 32)));
        Assert.Throws<ArgumentException>(() => network.Encode(Noise(1, 3, 31, 32)));
    }
}
