using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>The models that have names: where their descriptions are shipped, and where their weights come from.</summary>
public static class KnownModels
{
    /// <summary>Where upstream keeps OpenAI's checkpoints.</summary>
    public const string UpstreamWeightsFolder = "res/openai-models";

    public static readonly IReadOnlyList<KnownModel> All =
    [
        new("demo", [], "the shipped demo model: 32x32 coloured shapes", null),
        new("adm-32", ["cifar_pixel_32"], "ADM, CIFAR-10 32x32 (improved-diffusion)",
            "https://openaipublic.blob.core.windows.net/diffusion/march-2021/cifar10_uncond_50M_500K.pt"),
        new("adm-64", ["imagenet_pixel_64"], "ADM, ImageNet 64x64 (improved-diffusion)",
            "https://openaipublic.blob.core.windows.net/diffusion/march-2021/imagenet64_uncond_100M_1500K.pt"),
        new("adm-256", ["imagenet_pixel_256"], "ADM, ImageNet 256x256 (guided-diffusion)",
            "https://openaipublic.blob.core.windows.net/diffusion/jul-2021/256x256_diffusion_uncond.pt"),
    ];

    /// <summary>Finds a model by its name or upstream's name for it.</summary>
    public static KnownModel? Find(string name) =>
        All.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase) || m.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase));

    /// <summary>The shipped model.json of a known model.</summary>
    public static string DescriptionPath(KnownModel model) => Path.Combine(AppContext.BaseDirectory, "models", model.Name, "model.json");
}

/// <summary>A model with a name.</summary>
/// <param name="Aliases">Upstream's names.</param>
/// <param name="Source">Where its weights can be had; null when they are shipped.</param>
public sealed record KnownModel(string Name, IReadOnlyList<string> Aliases, string Description, string? Source);
