using Taba.Diffusion.Models.Dit;
using Taba.Diffusion.Weights;
using TorchSharp;
using static Taba.Diffusion.Tests.Models.NetworkChecks;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Dit;

public sealed class DitTransformerTests
{
    const string Tiny = "models/dit_tiny/transformer/config.json";
    const string Table = "pos_embed.pos_embed";

    internal static readonly DitConfig tiny = DitConfig.Parse(ConfigEdit.Read(Tiny), Tiny);

    public static TheoryData<string> Published => PublishedConfigs.Named("dit_");

    internal static DitTransformer Network(DitConfig config, ScalarType dtype = ScalarType.Float32) =>
        DitTransformer.Load(config, new RandomWeights(DitTransformer.Parameters(config)), CPU, dtype);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Published))]
    public void Constructor_PublishedConfigOnMeta_ParametersOfTheStateDict(string name)
    {
        var config = DitConfig.Parse(ConfigEdit.Read($"configs/{name}/config.json"), name);
        var parameters = DitTransformer.Parameters(config);
        PublishedConfigs.RequireManifest(name, parameters);

        using var network = new DitTransformer(config, PublishedConfigs.OnMeta(parameters));

        Assert.Equal(DeviceType.META, network.Device.type);
    }

    [Theory]
    [InlineData("_class_name", "\"PixArtTransformer2DModel\"", "DiTTransformer2DModel, Transformer2DModel")]
    [InlineData("norm_type", "\"ada_norm_single\"", "ada_norm_zero")]
    [InlineData("norm_type", null, "ada_norm_zero")]
    [InlineData("activation_fn", "\"geglu\"", "gelu-approximate")]
    [InlineData("norm_elementwise_affine", "true", "false")]
    [InlineData("norm_elementwise_affine", null, "false")]
    [InlineData("cross_attention_dim", "768", "null")]
    [InlineData("num_vector_embeds", "100", "null")]
    [InlineData("caption_channels", "4096", "null")]
    [InlineData("only_cross_attention", "true", "false")]
    [InlineData("double_self_attention", "true", "false")]
    [InlineData("interpolation_scale", "2", "1")]
    [InlineData("in_channels", null, "missing")]
    [InlineData("in_channels", "0", "1 to 1024")]
    [InlineData("patch_size", null, "missing")]
    [InlineData("num_embeds_ada_norm", null, "missing")]
    [InlineData("num_layers", "1000000", "1 to 1024")]
    [InlineData("sample_size", "7", "patch_size (2)")]
    [InlineData("sample_size", "[8,8]", "integer")]
    [InlineData("attention_head_dim", "7", "multiple of 4")]
    [InlineData("norm_eps", "-1", "0 to 1")]
    public void Parse_UnsupportedValue_NamesFileFieldAndWhatIsKnown(string field, string? value, string known) =>
        RequireRefused(() => DitConfig.Parse(ConfigEdit.With(Tiny, (field, value)), Source), field, known);

    [Fact]
    public void Parse_UnknownFields_Ignored() =>
        Assert.Equal(tiny, DitConfig.Parse(ConfigEdit.With(Tiny, ("future", "{}"), ("dropout", "0.5")), Tiny));

    [Fact]
    public void Parse_ClassOfItsOwn_ItsDefaults()
    {
        var config = DitConfig.Parse(
            System.Text.Json.JsonSerializer.SerializeToElement(new { _class_name = "DiTTransformer2DModel" }), Tiny);

        Assert.Equal(
            (32, 4, 4, 1000, 2, 28),
            (config.SampleSize, config.InChannels, config.OutChannels, config.NumClasses, config.PatchSize, config.NumLayers));
        Assert.Equal((1152, 16, true), (config.Width, config.Side, config.AttentionBias));
    }

    [Fact]
    public void Load_WrongWeights_AllDifferencesInOneMessage()
    {
        var weights = new RandomWeights(DitTransformer.Parameters(tiny)).Without("proj_out_1.bias").With("surplus", 3);

        var error = Assert.Throws<WeightsMismatchException>(() => DitTransformer.Load(tiny, weights, CPU, ScalarType.Float32));

        Assert.Equal(["proj_out_1.bias"], error.Missing);
        Assert.Equal(["surplus"], error.Unexpected);
    }

    [Fact]
    public void Load_StoredTableOfPositions_ComputedOneUsed()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var weights = new RandomWeights(DitTransformer.Parameters(tiny));
        using var plain = Network(tiny);
        using var storing = DitTransformer.Load(tiny, weights.With(Table, 1, tiny.Side * tiny.Side, tiny.Width), CPU, ScalarType.Float32);
        var (x, timesteps, labels) = (Noise(2, 4, 8, 8), tensor([1f, 500f]), tensor([3L, 1000]));

        Assert.True(plain.Forward(x, timesteps, labels).equal(storing.Forward(x, timesteps, labels)).all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.1)]
    [InlineData(ScalarType.Float16, 0.02)]
    public void Forward_HalfPrecision_CloseToSinglePrecision(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var single = Network(tiny);
        using var half = Network(tiny, dtype);
        var (x, timesteps, labels) = (Noise(2, 4, 8, 8), tensor([1f, 500f]), tensor([3L, 1000]));

        var (expected, actual) = (single.Forward(x, timesteps, labels), half.Forward(x, timesteps, labels));

        RequireNear(expected, actual, tolerance);
    }

    [Fact]
    public void Forward_FixedBatch_RowDoesNotDependOnNeighboursOrPlace()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var (x, labels) = (Noise(8, 4, 8, 8), tensor([0L, 100, 200, 300, 400, 500, 600, 700]));
        var timesteps = linspace(0, 700, 8);

        RequireIndependentRows(rows => network.Forward(rows[0], rows[1], rows[2]), x, timesteps, labels);
    }

    [Fact]
    public void Forward_OtherClassTimestepOrPlace_OtherResult()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var x = Noise(1, 4, 8, 8);
        var result = network.Forward(x, tensor([10f]), tensor([1L]));

        Assert.True((result - network.Forward(x, tensor([900f]), tensor([1L]))).abs().max().item<float>() > 1e-2);
        Assert.True((result - network.Forward(x, tensor([10f]), tensor([1000L]))).abs().max().item<float>() > 1e-2);
        Assert.True(
            (result - network.Forward(x.transpose(2, 3), tensor([10f]), tensor([1L])).transpose(2, 3)).abs().max().item<float>() > 1e-2);
    }

    [Theory]
    [InlineData("out_channels", "4")]
    [InlineData("out_channels", "null")]
    [InlineData("patch_size", "4")]
    [InlineData("attention_bias", "false")]
    [InlineData("num_layers", "1")]
    public void Forward_OtherSupportedConfig_StateShapedFiniteResult(string field, string value)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = DitConfig.Parse(ConfigEdit.With(Tiny, (field, value)), Tiny);
        using var network = Network(config);

        var result = network.Forward(Noise(2, 4, 8, 8), tensor([1f, 500f]), tensor([3L, 1000]));

        Assert.Equal([2, config.OutChannels, 8, 8], result.shape);
        Assert.True(result.isfinite().all().item<bool>());
    }

    [Fact]
    public void Forward_ShapesThatDoNotFit_Refuses()
    {
        using var scope = NewDisposeScope();
        using var network = Network(tiny);
        var (x, timesteps, labels) = (Noise(2, 4, 8, 8), tensor([1f, 500f]), tensor([3L, 1000]));

        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 3, 8, 8), timesteps, labels));
        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 4, 16, 16), timesteps, labels));
        Assert.Throws<ArgumentException>(() => network.Forward(x, tensor([1f]), labels));
        Assert.Throws<ArgumentException>(() => network.Forward(x, timesteps, tensor([1L])));
    }
}
