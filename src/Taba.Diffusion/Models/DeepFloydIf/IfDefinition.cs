using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Diffusers;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.DeepFloydIf;

/// <summary>The first stage of DeepFloyd IF, a text-conditional model of pixels (docs/upstream.md, section 5.4).</summary>
public sealed record IfDefinition : DiffusersDefinition
{
    const string Unet = "unet", TextEncoder = "text_encoder", Tokenizer = "tokenizer";

    public required UNet2DConditionConfig Config { get; init; }

    public required T5Config Text { get; init; }

    /// <summary>Digests of both configs.</summary>
    public required string ConfigDigests { get; init; }

    public override string Family => "if";

    public override TextShape? TextShape => new TextShape(T5Tokenizer.PromptLength, Text.DModel);

    public override UpstreamPrecision Upstream => UpstreamPrecision.Half;

    public override bool AllowsHalfState => true;

    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters => UNet2DConditionModel.Parameters(Config);

    public override long ParametersInAll => base.ParametersInAll + Count(T5Encoder.Parameters(Text));

    protected override string Component => Unet;

    protected override string Architecture => $"if {ConfigDigests}";

    internal static IfDefinition Read(ModelFolder folder, string name)
    {
        var (unet, unetSource) = (folder.Config(Unet), folder.ConfigPath(Unet));
        var (text, textSource) = (folder.Config(TextEncoder), folder.ConfigPath(TextEncoder));
        folder.Component(Tokenizer);
        var (config, encoder) = (UNet2DConditionConfig.Parse(unet, unetSource), T5Config.Parse(text, textSource));
        if (encoder.DModel != config.EncoderHidDim)
            throw new InvalidDataException(
                $"{unetSource}: the field 'encoder_hid_dim' is {config.EncoderHidDim}, and the text encoder of {textSource} is "
                + $"{encoder.DModel} wide: they must be equal.");
        return new IfDefinition
        {
            Name = name,
            Folder = folder,
            Scheduler = SchedulerOf(folder),
            Shape = config.Shape,
            Config = config,
            Text = encoder,
            ConfigDigests = $"{ConfigDigest.Of(unet)}+{ConfigDigest.Of(text)}",
        };
    }

    public override ModelDefinition WithSampleSize(int height, int width)
    {
        CheckHalvings(height, width, Config.BlockOutChannels.Length - 1);
        return this with { Shape = Shape with { Height = height, Width = width } };
    }

    /// <remarks>A prompt becomes what tokenizer and text encoder make of it: their files belong to the numbers.</remarks>
    public override IReadOnlyList<string> WeightFiles(string? given)
    {
        using var encoder = Folder.OpenWeights(TextEncoder);
        return [.. base.WeightFiles(given), .. encoder.Files, Path.Combine(Folder.PathOf(Tokenizer), T5Tokenizer.ModelFile)];
    }

    public override void CheckWeights(string? given)
    {
        base.CheckWeights(given);
        using var encoder = Folder.OpenWeights(TextEncoder);
        WeightsMismatchException.ThrowIfDifferent(new T5EmbeddingNames(encoder), T5Encoder.Parameters(Text));
        T5Tokenizer.Load(Folder.PathOf(Tokenizer));
    }

    public override ITextEncoder LoadTextEncoder(Device device, ScalarType dtype)
    {
        using var weights = Folder.OpenWeights(TextEncoder);
        return new T5TextEncoder(T5Tokenizer.Load(Folder.PathOf(Tokenizer)), T5Encoder.Load(Text, weights, device, dtype), dtype);
    }

    protected override IDenoiser Build(IWeightSource weights, Device device, ScalarType networkDtype, NetworkForm form) =>
        new IfDenoiser(UNet2DConditionModel.Load(Config, weights, device, networkDtype, form), Shape, TextShape!.Value, networkDtype);
}
