using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Models.Diffusers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Ldm;

/// <summary>An unconditional latent diffusion model, as CompVis' CelebA-HQ one (docs/upstream.md, section 5.2).</summary>
public sealed record LdmDefinition : DiffusersDefinition
{
    /// <summary>Height and width that upstream's scripts draw noise at, whatever the model's sample_size.</summary>
    public const int UpstreamSize = 64;

    const string Unet = "unet", Vqvae = "vqvae";

    public required UNet2DConfig Config { get; init; }

    public required string UnetDigest { get; init; }

    public required AutoencoderDefinition Decoder { get; init; }

    public override string Family => "ldm";

    public override AutoencoderDefinition? Autoencoder => Decoder;

    public override bool SizeFollowsInputs => true;

    public override UpstreamPrecision Upstream => UpstreamPrecision.Single;

    public override bool AllowsHalfState => true;

    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters => UNet2DModel.Parameters(Config);

    protected override string Component => Unet;

    protected override string Architecture => $"ldm {UnetDigest}";

    internal static LdmDefinition Read(ModelFolder folder, string name)
    {
        var (unet, source) = (folder.Config(Unet), folder.ConfigPath(Unet));
        var config = UNet2DConfig.Parse(unet, source);
        var decoder = AutoencoderDefinition.Read(folder, Vqvae);
        if (decoder.LatentChannels != config.InChannels)
            throw new InvalidDataException(
                $"{source}: the field 'in_channels' is {config.InChannels}, and the autoencoder beside it has {decoder.LatentChannels} "
                + "latent channels: they must be equal.");
        return new LdmDefinition
        {
            Name = name,
            Folder = folder,
            Scheduler = SchedulerOf(folder),
            Shape = new StateShape(config.InChannels, UpstreamSize, UpstreamSize),
            Config = config,
            UnetDigest = ConfigDigest.Of(unet),
            Decoder = decoder,
        };
    }

    public override ModelDefinition WithSampleSize(int height, int width)
    {
        CheckHalvings(height, width, Config.BlockOutChannels.Length - 1);
        return this with { Shape = Shape with { Height = height, Width = width } };
    }

    protected override IDenoiser Build(IWeightSource weights, Device device, ScalarType networkDtype, NetworkForm form) =>
        new LdmDenoiser(UNet2DModel.Load(Config, weights, device, networkDtype, form), Shape);
}
