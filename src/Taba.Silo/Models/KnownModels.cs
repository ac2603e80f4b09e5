namespace Taba.Silo.Models;

/// <summary>The models that have names: where their descriptions are shipped, and where their weights come from.</summary>
public static class KnownModels
{
    /// <summary>The folder in which upstream keeps OpenAI's checkpoints.</summary>
    public const string UpstreamWeightsFolder = "res/openai-models";

    public static readonly IReadOnlyList<KnownModel> All =
    [
        new("demo", [], "the shipped demo model: 32x32 coloured shapes", null),
        new("adm-32", ["cifar_pixel_32"], "ADM, CIFAR-10 32x32 (improved-diffusion)",
            "https://openaipublic.blob.core.windows.net/diffusion/march-2021/cifar10_uncond_50M_500K.pt")
        {
            Work = new(16.8, 32),
        },
        new("adm-64", ["imagenet_pixel_64"], "ADM, ImageNet 64x64 (improved-diffusion)",
            "https://openaipublic.blob.core.windows.net/diffusion/march-2021/imagenet64_uncond_100M_1500K.pt")
        {
            Work = new(79.5, 64),
        },
        new("adm-256", ["imagenet_pixel_256"], "ADM, ImageNet 256x256 (guided-diffusion)",
            "https://openaipublic.blob.core.windows.net/diffusion/jul-2021/256x256_diffusion_uncond.pt")
        {
            Work = new(2239.7, 256),
        },
        OfHub(
            "ldm-celebahq-256", "celeba_ldm_256", "latent diffusion, CelebA-HQ 256x256", "CompVis/ldm-celebahq-256", null, "unet", "vqvae",
            "scheduler") with { Work = new(202.4, 64) },
        OfHub(
            "dit-xl-2-256", "dit", "DiT-XL/2, ImageNet 256x256 by class", "facebook/DiT-XL-2-256", "fp16", "transformer", "vae",
            "scheduler") with { Work = new(237.2, 32) },
        OfHub(
            "if-i-xl", "deepfloyd_if", "DeepFloyd IF stage I, 64x64 by prompt; gated", "DeepFloyd/IF-I-XL-v1.0", "fp16",
            "text_encoder", "tokenizer", "unet", "scheduler") with { Work = new(2879, 64) },
    ];

    /// <summary>Finds a model by its name or upstream's name for it.</summary>
    public static KnownModel? Find(string name) =>
        All.FirstOrDefault(
            m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase) || m.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase));

    /// <summary>The shipped model.json of a known model.</summary>
    public static string DescriptionPath(KnownModel model) => Path.Combine(AppContext.BaseDirectory, "models", model.Name, "model.json");

    /// <summary>
    /// What is shipped of a known model, for plans on machines that have not pulled it: its model.json, or a folder with the configs that
    /// its repository had when this was written, and neither weights nor names of classes.
    /// </summary>
    internal static string OutlinePath(KnownModel model) =>
        model.Repository is null ? DescriptionPath(model) : Path.Combine(AppContext.BaseDirectory, "models", model.Name);

    static KnownModel OfHub(
        string name, string alias, string description, string repository, string? variant, params string[] components) =>
        new(name, [alias], description, $"https://huggingface.co/{repository}")
        {
            Repository = new KnownRepository(
            repository, components, variant)
        };
}

/// <summary>A model with a name.</summary>
/// <param name="Aliases">Upstream's names.</param>
/// <param name="Source">Where its weights can be had: the file itself, or the page of its repository; null when they are shipped.</param>
public sealed record KnownModel(string Name, IReadOnlyList<string> Aliases, string Description, string? Source)
{
    /// <summary>Its repository on the hub; null when it is a plain file.</summary>
    public KnownRepository? Repository { get; init; }

    /// <summary>Of its network; null when nobody counted it.</summary>
    public NetworkWork? Work { get; init; }
}

/// <summary>What one evaluation of a network is, for plans: it depends on shapes only.</summary>
/// <param name="Gigaflops">
/// 1e9 operations of floating point in convolutions, linear layers and attention; a multiplication with its addition is two.
/// </param>
/// <param name="Side">Height and width of the state that it is of.</param>
public sealed record NetworkWork(double Gigaflops, int Side)
{
    /// <summary>Operations of one evaluation of a stage's network; null when they are not known at its size.</summary>
    public static double? FlopsOf(ModelIdentity model) =>
        model.Name is { } name && KnownModels.Find(name)?.Work is { } work && (model.Height, model.Width) == (work.Side, work.Side)
            ? work.Gigaflops * 1e9
            : null;
}

/// <summary>A model folder on the hub.</summary>
/// <param name="Id">organization/name.</param>
/// <param name="Components">The components that sampling, inversion and decoding need.</param>
/// <param name="Variant">The variant that is pulled where there is one; null pulls the plain weights.</param>
public sealed record KnownRepository(string Id, IReadOnlyList<string> Components, string? Variant);
