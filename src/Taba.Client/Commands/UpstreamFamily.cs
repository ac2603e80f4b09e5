using Taba.Grains;

namespace Taba.Client.Commands;

/// <summary>The parameters of upstream's scripts of a family, and their defaults (docs/upstream.md, section 2).</summary>
/// <param name="Name">adm, gaussian, ldm, dit or if.</param>
/// <param name="Folder">The folder below experiments; null is the model's name.</param>
/// <param name="Models">Upstream's names of models (<c>--model_name</c>); empty when a family has one model.</param>
/// <param name="DefaultModel">Of the sampling script, or of every script of a family with one model.</param>
/// <param name="SamplingSteps">T of the sampling and swap scripts.</param>
/// <param name="ForwardSteps">T of the forward script.</param>
/// <param name="BatchSize">batch_size.</param>
/// <param name="TakesClasses">Classes, drawn or from a file.</param>
/// <param name="TakesText">Prompts, drawn or from a file.</param>
sealed record UpstreamFamily(
    string Name, string? Folder, IReadOnlyList<string> Models, string? DefaultModel, int SamplingSteps, int ForwardSteps, int BatchSize,
    bool TakesClasses, bool TakesText)
{
    static readonly string[] s_admModels = ["cifar_pixel_32", "imagenet_pixel_64", "imagenet_pixel_256"];

    public static readonly IReadOnlyList<UpstreamFamily> All =
    [
        new("adm", null, s_admModels, s_admModels[0], 100, 50, 64, TakesClasses: true, TakesText: false),
        new("ldm", "celeba_ldm_256", [], "ldm-celebahq-256", 100, 100, 64, TakesClasses: false, TakesText: false),
        new("dit", "dit", [], "dit-xl-2-256", 50, 50, 64, TakesClasses: true, TakesText: false),
        new("if", "deepfloyd_if", [], "if-i-xl", 50, 50, 16, TakesClasses: false, TakesText: true),
        new("gaussian", null, [], null, 100, 50, 64, TakesClasses: false, TakesText: false),
    ];

    /// <summary>True when the state is the latent of an autoencoder, so that there are pictures to decode.</summary>
    public bool HasAutoencoder => Name is "ldm" or "dit";

    /// <summary>True when the forward script takes the swap's flags too.</summary>
    public bool SwapsInForward => Name is "dit";

    /// <summary>True when conditions are drawn, n_prompts of them. There is no n_samples then.</summary>
    public bool DrawsConditions => Name is "dit" or "if";

    /// <summary>Its name for people.</summary>
    public string Title => Name switch
    {
        "adm" => "ADM (guided-diffusion)",
        "ldm" => "Latent diffusion",
        "dit" => "DiT",
        "if" => "DeepFloyd IF",
        _ => "A model without a network",
    };

    public int Steps(UpstreamScript script) => script == UpstreamScript.Forward ? ForwardSteps : SamplingSteps;

    /// <summary>The model when none is named.</summary>
    /// <exception cref="BadInputException">The script has no default.</exception>
    public string ModelOf(UpstreamScript script)
    {
        if (DefaultModel is { } model && (Models.Count == 0 || script == UpstreamScript.Sample))
            return model;
        var names = Models.Count == 0 ? "" : $", or --model_name with one of {string.Join(", ", Models)}";
        throw new BadInputException($"No model is given: use --model PATH_OR_NAME{names}.");
    }
}
