using Taba.Diffusion.Models.DeepFloydIf;
using Taba.Diffusion.Models.TextEncoders;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.DeepFloydIf;

/// <summary>
/// The published sizes, built without weights on the meta device, where tensors have shapes and no memory, against lists made by the
/// reference implementation.
/// </summary>
public sealed class PublishedSizesTests
{
    public static TheoryData<string> UNets => PublishedConfigs.Named("if_");

    public static TheoryData<string> TextEncoders => PublishedConfigs.Named("t5_");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(UNets))]
    public void UNet_PublishedConfig_ParametersOfTheStateDict(string name)
    {
        var config = UNet2DConditionConfig.Parse(ConfigEdit.Read($"configs/{name}/config.json"), name);
        var parameters = UNet2DConditionModel.Parameters(config);
        PublishedConfigs.RequireManifest(name, parameters);

        using var network = new UNet2DConditionModel(config, PublishedConfigs.OnMeta(parameters));

        Assert.Equal(config.Shape, network.Shape);
        Assert.Equal(DeviceType.META, network.Device.type);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(UNets))]
    public void UNet_PublishedLevelsAtSmallWidths_StateShapedResult(string name)
    {
        var config = UNet2DConditionConfig.Parse(
            ConfigEdit.With(
                $"configs/{name}/config.json",
                ("block_out_channels", "[32,64,96,128]"),
                ("attention_head_dim", "16"),
                ("cross_attention_dim", "128"),
                ("encoder_hid_dim", "64"),
                ("sample_size", "16")),
            name);

        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = UNet2DConditionTests.Network(config);
        var result = network.Forward(ones(config.Shape.Batch(1)), ones(1), ones(1, 77, config.EncoderHidDim));

        Assert.Equal([1, 6, 16, 16], result.shape);
        Assert.True(result.isfinite().all().item<bool>());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(TextEncoders))]
    public void TextEncoder_PublishedConfig_ParametersOfTheStateDict(string name)
    {
        var config = T5Config.Parse(ConfigEdit.Read($"configs/{name}/config.json"), name);
        var parameters = T5Encoder.Parameters(config);

        // The reference lists the tied embedding under both its names and counts it twice.
        PublishedConfigs.RequireManifest(name, parameters, tied: "encoder.embed_tokens.weight");

        using var encoder = new T5Encoder(config, PublishedConfigs.OnMeta(parameters));

        Assert.Equal(4096, encoder.Width);
        Assert.Equal(DeviceType.META, encoder.Device.type);
    }
}
