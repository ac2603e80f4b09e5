using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// Folders as transformers saves them, for networks of features: <c>config.json</c> has the sizes (what it leaves out is the class's
/// default), the weights lie beside it.
/// </summary>
public static class TransformersFolder
{
    const string Config = "config.json";
    const int MaxConfigBytes = 4 << 20;
    const int MostWidth = 1 << 16;
    const int MostLayers = 256;
    const int MostSide = 1 << 12;

    /// <summary>The files that numbers depend on: config and weights.</summary>
    /// <exception cref="InvalidDataException">A file is missing.</exception>
    public static IReadOnlyList<string> Files(string folder)
    {
        using var weights = DiffusersWeights.Open(folder);
        return [Path.Combine(folder, Config), .. weights.Files];
    }

    /// <summary>Checks a ViT without loading it.</summary>
    /// <exception cref="InvalidDataException">A file is missing, or the config asks for something else.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged or hostile.</exception>
    /// <exception cref="WeightsMismatchException">Weights and config do not agree.</exception>
    public static void CheckVit(string folder)
    {
        var (sizes, side, patch) = Vit(folder);
        using var weights = DiffusersWeights.Open(folder);
        FeatureParameters.Require(weights, VitFeatures.Parameters(sizes, side, patch));
    }

    /// <summary>Loads a ViT: "facebook/dino-vits16".</summary>
    /// <inheritdoc cref="CheckVit" path="/exception"/>
    public static VitFeatures LoadVit(string folder, Device device)
    {
        var (sizes, side, patch) = Vit(folder);
        using var weights = DiffusersWeights.Open(folder);
        return VitFeatures.Load(sizes, weights, device, side, patch);
    }

    /// <summary>Checks a CLIP without loading it.</summary>
    /// <returns>Its sizes.</returns>
    /// <inheritdoc cref="CheckVit" path="/exception"/>
    public static ClipSizes CheckClip(string folder)
    {
        var sizes = Clip(folder);
        using var weights = DiffusersWeights.Open(folder);
        FeatureParameters.Require(weights, ClipFeatures.Parameters(sizes));
        return sizes;
    }

    /// <summary>Loads a CLIP: "openai/clip-vit-base-patch32".</summary>
    /// <inheritdoc cref="CheckVit" path="/exception"/>
    public static ClipFeatures LoadClip(string folder, Device device)
    {
        var sizes = Clip(folder);
        using var weights = DiffusersWeights.Open(folder);
        return ClipFeatures.Load(sizes, weights, device);
    }

    static (TransformerSizes Sizes, int Side, int Patch) Vit(string folder)
    {
        var (config, path) = Read(folder);
        var fields = new JsonFields(config, path);
        fields.Choice("model_type", "vit", "vit");
        fields.Choice("hidden_act", "gelu", "gelu");
        var (side, patch) = SideAndPatch(fields, 16);
        return (Sizes(fields, path, 768, 12, 12, 3072, 1e-12, quick: false), side, patch);
    }

    static ClipSizes Clip(string folder)
    {
        var (config, path) = Read(folder);
        var fields = new JsonFields(config, path);
        fields.Choice("model_type", "clip", "clip");
        var vision = Part("vision_config");
        var text = Part("text_config");
        var (side, patch) = SideAndPatch(vision, 32);
        return new(
            Sizes(vision, path, 768, 12, 12, 3072, 1e-5, IsQuick(vision)),
            Sizes(text, path, 512, 12, 8, 2048, 1e-5, IsQuick(text)),
            side,
            patch,
            text.Int("vocab_size", 49_408, 2, 1 << 22),
            text.Int("max_position_embeddings", 77, 2, 1 << 16),
            fields.Int("projection_dim", 512, 1, MostWidth));

        JsonFields Part(string name) => config.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.Object
            ? new(part, $"{path}, {name}")
            : throw new InvalidDataException($"{path} has no {name}.");

        static bool IsQuick(JsonFields part) => part.Choice("hidden_act", "quick_gelu", "quick_gelu", "gelu") == "quick_gelu";
    }

    static TransformerSizes Sizes(JsonFields fields, string path, int width, int layers, int heads, int inner, double eps, bool quick)
    {
        var sizes = new TransformerSizes(
            fields.Int("hidden_size", width, 1, MostWidth),
            fields.Int("num_hidden_layers", layers, 1, MostLayers),
            fields.Int("num_attention_heads", heads, 1, MostWidth),
            fields.Int("intermediate_size", inner, 1, MostWidth),
            fields.Number("layer_norm_eps", eps, 0, 1),
            quick);
        return sizes.Width % sizes.Heads == 0
            ? sizes
            : throw new InvalidDataException($"{path}: {sizes.Heads} heads do not divide a width of {sizes.Width}.");
    }

    static (int Side, int Patch) SideAndPatch(JsonFields fields, int patch)
    {
        var side = fields.Int("image_size", 224, 1, MostSide);
        patch = fields.Int("patch_size", patch, 1, side);
        return side % patch == 0 ? (side, patch) : throw fields.Wrong("patch_size", $"a divisor of image_size, {side}");
    }

    static (JsonElement Config, string Path) Read(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var path = Path.Combine(Path.GetFullPath(folder), Config);
        return (BoundedJson.ReadObject(path, MaxConfigBytes), path);
    }
}
