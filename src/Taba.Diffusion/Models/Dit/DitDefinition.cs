using Taba.Diffusion.Conditions;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Models.Diffusers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>A class-conditional diffusion transformer over an autoencoder's latents (docs/upstream.md, section 5.3).</summary>
public sealed record DitDefinition : DiffusersDefinition
{
    const string Transformer = "transformer", Vae = "vae";

    public required DitConfig Config { get; init; }

    public required string TransformerDigest { get; init; }

    public required AutoencoderDefinition Decoder { get; init; }

    public override string Family => "dit";

    public override int? ClassCount => Config.NumClasses;

    /// <remarks>By the null class.</remarks>
    public override bool CanBeGuided => true;

    public override AutoencoderDefinition? Autoencoder => Decoder;

    public override UpstreamPrecision Upstream => UpstreamPrecision.Half;

    public override bool AllowsHalfState => true;

    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters => DitTransformer.Parameters(Config);

    protected override string Component => Transformer;

    protected override string Architecture => $"dit {TransformerDigest}";

    internal static DitDefinition Read(ModelFolder folder, string name)
    {
        var (transformer, source) = (folder.Config(Transformer), folder.ConfigPath(Transformer));
        var config = DitConfig.Parse(transformer, source);
        var decoder = AutoencoderDefinition.Read(folder, Vae);
        if (decoder.LatentChannels != config.InChannels)
            throw new InvalidDataException(
                $"{source}: the field 'in_channels' is {config.InChannels}, and the autoencoder beside it has {decoder.LatentChannels} "
                + "latent channels: they must be equal.");
        return new DitDefinition
        {
            Name = name,
            Folder = folder,
            Scheduler = SchedulerOf(folder),
            Shape = new StateShape(config.InChannels, config.SampleSize, config.SampleSize),
            Config = config,
            TransformerDigest = ConfigDigest.Of(transformer),
            Decoder = decoder,
        };
    }

    public override ClassLabels Labels() => Folder.Id2Label.Count == 0
        ? base.Labels()
        : ClassLabels.FromId2Label(Folder.Id2Label, Path.Combine(Folder.FolderPath, ModelFolder.IndexFile));

    /// <remarks>The table of positions is made for one size.</remarks>
    public override ModelDefinition WithSampleSize(int height, int width) => height == Shape.Height && width == Shape.Width
        ? this
        : throw new ArgumentException(
            $"Model {Name} works on {Shape.Height}x{Shape.Width} only, the size of its position table, not on {height}x{width}.");

    protected override IWeightSource Shown(IWeightSource weights) => new DitWeightNames(weights);

    protected override IDenoiser Build(IWeightSource weights, Device device, ScalarType networkDtype, NetworkForm form) =>
        new DitDenoiser(DitTransformer.Load(Config, weights, device, networkDtype, form), Shape, Config.NumClasses);
}
