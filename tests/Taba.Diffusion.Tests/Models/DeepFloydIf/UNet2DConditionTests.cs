using Taba.Diffusion.Models.DeepFloydIf;
using Taba.Diffusion.Weights;
using static Taba.Diffusion.Tests.Models.NetworkChecks;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.DeepFloydIf;

public sealed class UNet2DConditionTests
{
    const string Tiny = "models/if_tiny/unet/config.json";

    internal static readonly UNet2DConditionConfig tiny = UNet2DConditionConfig.Parse(ConfigEdit.Read(Tiny), Tiny);

    internal static UNet2DConditionModel Network(UNet2DConditionConfig config, ScalarType dtype = ScalarType.Float32) =>
        UNet2DConditionModel.Load(config, new RandomWeights(UNet2DConditionModel.Parameters(config)), CPU, dtype);

    [Theory]
    [InlineData("down_block_types", "[\"ResnetDownsampleBlock2D\",\"CrossAttnDownBlock2D\"]", "SimpleCrossAttnDownBlock2D")]
    [InlineData("down_block_types", "[\"ResnetDownsampleBlock2D\"]", "block_out_channels (2)")]
    [InlineData("up_block_types", "[\"UpBlock2D\",\"ResnetUpsampleBlock2D\"]", "SimpleCrossAttnUpBlock2D")]
    [InlineData("up_block_types", "\"ResnetUpsampleBlock2D\"", "array")]
    [InlineData("mid_block_type", "\"UNetMidBlock2DCrossAttn\"", "UNetMidBlock2DSimpleCrossAttn")]
    [InlineData("mid_block_type", null, "UNetMidBlock2DSimpleCrossAttn")]
    [InlineData("_class_name", "\"UNet2DModel\"", "UNet2DConditionModel")]
    [InlineData("act_fn", "\"geglu\"", "silu")]
    [InlineData("addition_embed_type", "\"text_image\"", "text")]
    [InlineData("addition_embed_type", null, "missing")]
    [InlineData("encoder_hid_dim_type", "\"image_proj\"", "text_proj")]
    [InlineData("encoder_hid_dim", null, "missing")]
    [InlineData("class_embed_type", "\"timestep\"", "null")]
    [InlineData("num_class_embeds", "10", "null")]
    [InlineData("time_embedding_type", "\"fourier\"", "positional")]
    [InlineData("time_embedding_dim", "64", "null")]
    [InlineData("time_embedding_act_fn", "\"silu\"", "null")]
    [InlineData("timestep_post_act", "\"silu\"", "null")]
    [InlineData("time_cond_proj_dim", "64", "null")]
    [InlineData("num_attention_heads", "8", "null")]
    [InlineData("only_cross_attention", "true", "false")]
    [InlineData("only_cross_attention", "[true,false]", "false")]
    [InlineData("mid_block_only_cross_attention", "true", "false")]
    [InlineData("dual_cross_attention", "true", "false")]
    [InlineData("center_input_sample", "true", "false")]
    [InlineData("resnet_skip_time_act", "true", "false")]
    [InlineData("resnet_time_scale_shift", "\"ada_group\"", "scale_shift")]
    [InlineData("resnet_out_scale_factor", "1.4", "1")]
    [InlineData("mid_block_scale_factor", "2", "1")]
    [InlineData("cross_attention_norm", "\"batch_norm\"", "group_norm")]
    [InlineData("cross_attention_norm", "\"layer_norm\"", "group_norm", "cross_attention_dim", "32")]
    [InlineData("cross_attention_dim", "48", "32")]
    [InlineData("attention_head_dim", "7", "64")]
    [InlineData("attention_head_dim", "[8,8]", "integer")]
    [InlineData("layers_per_block", "[1,1]", "integer")]
    [InlineData("layers_per_block", "1000000", "1 to 64")]
    [InlineData("norm_num_groups", "9", "32, 64")]
    [InlineData("addition_embed_type_num_heads", "5", "encoder_hid_dim (32)")]
    [InlineData("block_out_channels", "[32,0]", "from 1")]
    [InlineData("block_out_channels", "[33,64]", "even")]
    [InlineData("block_out_channels", "[32,32,32,32,32,32,32,32,32]", "8")]
    [InlineData("conv_in_kernel", "2", "odd")]
    [InlineData("sample_size", "15", "multiple of 2")]
    [InlineData("sample_size", null, "missing")]
    public void Parse_UnsupportedValue_NamesFileFieldAndWhatIsKnown(
        string field, string? value, string known, string? also = null, string? alsoValue = null)
    {
        (string, string?)[] changes = also is null ? [(field, value)] : [(field, value), (also, alsoValue)];

        RequireRefused(() => UNet2DConditionConfig.Parse(ConfigEdit.With(Tiny, changes), Source), field, known);
    }

    [Fact]
    public void Parse_UnknownFields_Ignored() =>
        Assert.Equal(
            tiny.ToString(), UNet2DConditionConfig.Parse(ConfigEdit.With(Tiny, ("future", "{}"), ("dropout", "0.5")), Tiny).ToString());

    [Fact]
    public void Load_WrongWeights_AllDifferencesInOneMessage()
    {
        var weights = new RandomWeights(UNet2DConditionModel.Parameters(tiny)).Without("conv_in.bias").With("surplus", 3);

        var error = Assert.Throws<WeightsMismatchException>(() => UNet2DConditionModel.Load(tiny, weights, CPU, ScalarType.Float32));

        Assert.Equal(["conv_in.bias"], error.Missing);
        Assert.Equal(["surplus"], error.Unexpected);
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
        var (x, timesteps, words) = (Noise(2, 3, 16, 16), tensor([1f, 500f]), Noise(2, 5, 32));

        var (expected, actual) = (single.Forward(x, timesteps, words), half.Forward(x, timesteps, words));

        RequireNear(expected, actual, tolerance);
    }

    [Fact]
    public void Forward_FixedBatch_RowDoesNotDependOnNeighboursOrPlace()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var (x, words) = (Noise(8, 3, 16, 16), Noise(8, 77, 32));
        var timesteps = linspace(0, 700, 8);

        RequireIndependentRows(rows => network.Forward(rows[0], rows[1], rows[2]), x, timesteps, words);
    }

    [Fact]
    public void Forward_OtherWordsOrTimestep_OtherResult()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = Network(tiny);
        var (x, words) = (Noise(1, 3, 16, 16), Noise(1, 7, 32));
        var result = network.Forward(x, tensor([10f]), words);

        Assert.True((result - network.Forward(x, tensor([900f]), words)).abs().max().item<float>() > 1e-2);
        Assert.True((result - network.Forward(x, tensor([10f]), words.neg())).abs().max().item<float>() > 1e-2);
    }

    [Theory]
    [InlineData("cross_attention_norm", "null")]
    [InlineData("cross_attention_norm", "\"layer_norm\"")]
    [InlineData("resnet_time_scale_shift", "\"default\"")]
    [InlineData("act_fn", "\"silu\"")]
    [InlineData("layers_per_block", "2")]
    [InlineData("conv_out_kernel", "1")]
    [InlineData("out_channels", "3")]
    [InlineData("sample_size", "[32,16]")]
    public void Forward_OtherSupportedConfig_StateShapedFiniteResult(string field, string value)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        var config = UNet2DConditionConfig.Parse(ConfigEdit.With(Tiny, (field, value)), Tiny);
        using var network = Network(config);

        var result = network.Forward(Noise(config.Shape.Batch(2)), tensor([1f, 500f]), Noise(2, 5, 32));

        Assert.Equal([2, config.OutChannels, config.Shape.Height, config.Shape.Width], result.shape);
        Assert.True(result.isfinite().all().item<bool>());
    }

    [Fact]
    public void Forward_ShapesThatDoNotFit_Refuses()
    {
        using var scope = NewDisposeScope();
        using var network = Network(tiny);
        var (x, timesteps, words) = (Noise(2, 3, 16, 16), tensor([1f, 500f]), Noise(2, 5, 32));

        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 4, 16, 16), timesteps, words));
        Assert.Throws<ArgumentException>(() => network.Forward(Noise(2, 3, 15, 16), timesteps, words));
        Assert.Throws<ArgumentException>(() => network.Forward(x, tensor([1f]), words));
        Assert.Throws<ArgumentException>(() => network.Forward(x, timesteps, Noise(1, 5, 32)));
        Assert.Throws<ArgumentException>(() => network.Forward(x, timesteps, Noise(2, 5, 64)));
    }
}
