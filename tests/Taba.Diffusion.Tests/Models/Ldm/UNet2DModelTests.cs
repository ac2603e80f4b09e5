using Taba.Diffusion.Models.Ldm;
using Taba.Diffusion.Weights;
using TorchSharp;
using static Taba.Diffusion.Tests.Models.NetworkChecks;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Ldm;

public sealed class UNet2DModelTests
{
    const string Tiny = "models/ldm_tiny/unet/config.json";

    internal static readonly UNet2DConfig tiny = UNet2DConfig.Parse(ConfigEdit.Read(Tiny), Tiny);

    public static TheoryData<string> Published => PublishedConfigs.Named("ldm_celebahq_256_unet");

    internal static UNet2DModel Network(UNet2DConfig config, ScalarType dtype = ScalarType.Float32) =>
        UNet2DModel.Load(config, new RandomWeights(UNet2DModel.Parameters(config)), CPU, dtype);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Published))]
    public void Network_PublishedConfig_ParametersOfTheStateDict(string name)
    {
        var config = UNet2DConfig.Parse(ConfigEdit.Read($"configs/{name}/config.json"), name);
        var parameters = UNet2DModel.Parameters(config);
        PublishedConfigs.RequireManifest(name, parameters);

        using var network = new UNet2DModel(config, PublishedConfigs.OnMeta(parameters));

        Assert.Equal(DeviceType.META, network.Device.type);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Published))]
    public void Forward_PublishedLevelsAtSmallWidths_StateShapedResult(string name)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = UNet2DConfig.Parse(
            ConfigEdit.With($"configs/{name}/config.json", ("block_out_channels", "[32,64,96,128]")), name);
        using var network = Network(config);

        var result = network.Forward(Noise(2, 3, 16, 16), tensor([1f, 500f]));

        Assert.Equal([2, 3, 16, 16], result.shape);
        Assert.True(result.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("down_block_types", "[\"DownBlock2D\",\"CrossAttnDownBlock2D\",\"AttnDownBlock2D\"]", "'CrossAttnDownBlock2D'")]
    [InlineData("down_block_types", "[\"DownBlock2D\"]", "block_out_channels (3)")]
    [InlineData("down_block_types", "\"DownBlock2D\"", "array")]
    [InlineData("down_block_types", "[\"SkipDownBlock2D\",\"DownBlock2D\",\"DownBlock2D\"]", "known are DownBlock2D, AttnDownBlock2D")]
    [InlineData("up_block_types", "[\"ResnetUpsampleBlock2D\",\"UpBlock2D\",\"UpBlock2D\"]", "known are UpBlock2D, AttnUpBlock2D")]
    [InlineData("up_block_types", "[\"UpBlock2D\",\"UpBlock2D\"]", "block_out_channels (3)")]
    [InlineData("up_block_types", null, "missing")]
    [InlineData("_class_name", "\"UNet2DConditionModel\"", "UNet2DModel")]
    [InlineData("act_fn", "\"geglu\"", "silu")]
    [InlineData("class_embed_type", "\"timestep\"", "null")]
    [InlineData("num_class_embeds", "10", "null")]
    [InlineData("time_embedding_type", "\"fourier\"", "positional")]
    [InlineData("downsample_type", "\"resnet\"", "conv")]
    [InlineData("upsample_type", "\"resnet\"", "conv")]
    [InlineData("downsample_padding", "2", "0 to 1")]
    [InlineData("resnet_time_scale_shift", "\"ada_group\"", "scale_shift")]
    [InlineData("mid_block_scale_factor", "0", "number from")]
    [InlineData("add_attention", "1", "true or false")]
    [InlineData("attention_head_dim", "7", "divides")]
    [InlineData("attention_head_dim", "[8,8]", "integer")]
    [InlineData("layers_per_block", "1000000", "1 to 64")]
    [InlineData("norm_num_groups", "9", "32, 32, 48")]
    [InlineData("attn_norm_num_groups", "5", "48")]
    [InlineData("block_out_channels", "[32,32,0]", "from 1")]
    [InlineData("block_out_channels", "[33,32,32]", "even")]
    [InlineData("block_out_channels", "[32,32,32,32,32,32,32,32,32]", "8")]
    [InlineData("center_input_sample", "true", "false")]
    public void Parse_UnsupportedValue_NamesFileFieldAndWhatIsKnown(string field, string? value, string known) =>
        RequireRefused(() => UNet2DConfig.Parse(ConfigEdit.With(Tiny, (field, value)), Source), field, known);

    [Fact]
    public void Parse_UnknownFields_Ignored() =>
        Assert.Equal(tiny.ToString(), UNet2DConfig.Parse(
            ConfigEdit.With(Tiny, ("future", "{}"), ("dropout", "0.5"), ("num_train_timesteps", "1000")), Tiny).ToString());

    /// <summary>diffusers has eight channels a head where the field is left out, and one head where it is null.</summary>
    [Fact]
    public void Parse_HeadDimAbsentOrNull_EightChannelsOrOneHead()
    {
        var absent = UNet2DConfig.Parse(ConfigEdit.With(Tiny, ("attention_head_dim", null)), Tiny);
        var none = UNet2DConfig.Parse(ConfigEdit.With(Tiny, ("attention_head_dim", "null")), Tiny);

        Assert.Equal(6, absent.Heads(48));
        Assert.Equal(1, none.Heads(48));
    }

    [Fact]
    public void Load_WrongWeights_AllDifferencesInOneMessage()
    {
        var weights = new RandomWeights(UNet2DModel.Parameters(tiny)).Without("conv_in.bias").With("surplus", 3);

        var error = Assert.Throws<WeightsMismatchException>(() => UNet2DModel.Load(tiny, weights, CPU, ScalarType.Float32));

        Assert.Equal(["conv_in.bias"], error.Missing);
        Assert.Equal(["surplus"], error.Unexpected);
    }

    [Fact]
    public void Load_DtypeNoNetworkComputesIn_Refuses() =>
        Assert.Throws<ArgumentException>(() => Network(tiny, ScalarType.Int32));

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.1)]
    [InlineData(ScalarType.Float16, 0.02)]
    public void Forward_HalfPrecision_CloseToSinglePrecision(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var single = Network(tiny);
        using var half = Network(tiny, dtype);
        var (x, timesteps) = (Noise(2, 3, 16, 16), tensor([1f, 500f]));

        var (expected, actual) = (single.Forward(x, timesteps), half.Forward(x, timesteps));

        RequireNear(expected, actual, tolerance);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(48)]
    public void Forward_FixedBatch_RowDoesNotDependOnNeighboursOrPlace(int side)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var x = Noise(8, 3, side, side);
        var timesteps = linspace(0, 700, 8);

        RequireIndependentRows(rows => network.Forward(rows[0], rows[1]), x, timesteps);
    }

    [Fact]
    public void Forward_InputsOfTheCaller_StayAsTheyAre()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var (x, timesteps) = (Noise(2, 3, 16, 16), tensor([1f, 500f]));
        var copy = x.clone();

        network.Forward(x, timesteps);

        Assert.True(x.equal(copy).all().item<bool>());
        Assert.Equal([1f, 500f], timesteps.data<float>().ToArray());
    }

    [Fact]
    public void Forward_OtherTimestep_OtherResult()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var x = Noise(1, 3, 16, 16);

        Assert.True((network.Forward(x, tensor([10f])) - network.Forward(x, tensor([900f]))).abs().max().item<float>() > 1e-2);
    }

    [Theory]
    [InlineData("resnet_time_scale_shift", "\"scale_shift\"")]
    [InlineData("add_attention", "false")]
    [InlineData("attention_head_dim", "null")]
    [InlineData("attn_norm_num_groups", "4")]
    [InlineData("mid_block_scale_factor", "1.5")]
    [InlineData("downsample_padding", "0")]
    [InlineData("flip_sin_to_cos", "false")]
    [InlineData("freq_shift", "1")]
    [InlineData("act_fn", "\"mish\"")]
    [InlineData("act_fn", "\"gelu\"")]
    [InlineData("norm_eps", "0.1")]
    [InlineData("layers_per_block", "2")]
    [InlineData("out_channels", "6")]
    [InlineData("up_block_types", "[\"UpBlock2D\",\"AttnUpBlock2D\",\"UpBlock2D\"]")]
    public void Forward_OtherSupportedConfig_OtherFiniteResult(string field, string value)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = UNet2DConfig.Parse(ConfigEdit.With(Tiny, (field, value)), Tiny);
        using var network = Network(config);
        using var usual = Network(tiny);
        var (x, timesteps) = (Noise(2, config.InChannels, 16, 16), tensor([3f, 500f]));

        var result = network.Forward(x, timesteps);

        Assert.Equal([2, config.OutChannels, 16, 16], result.shape);
        Assert.True(result.isfinite().all().item<bool>());
        if (config.OutChannels == tiny.OutChannels)
            Assert.True((result - usual.Forward(x, timesteps)).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void Forward_ShapesThatDoNotFit_Refuses()
    {
        using var scope = NewDisposeScope();
        using var network = Network(tiny);

        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 4, 16, 16), tensor([1f, 500f])));
        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 3, 18, 16), tensor([1f, 500f])));
        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 3, 16, 16), tensor([1f])));
    }
}
