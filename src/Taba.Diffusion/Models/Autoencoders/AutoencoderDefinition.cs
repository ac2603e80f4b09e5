using System.Text.Json;
using Taba.Diffusion.Models.Diffusers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>An autoencoder as its component's config.json describes it: enough to plan with, and to build it from. Immutable.</summary>
public sealed class AutoencoderDefinition
{
    const int MaxConfigBytes = 1 << 20;

    readonly CoderConfig coder;
    readonly Func<IWeightSource, Device, ScalarType, IAutoencoder> build;

    AutoencoderDefinition(
        string folder, string canonical, CoderConfig coder, IReadOnlyList<KeyValuePair<string, long[]>> parameters,
        Func<IWeightSource, Device, ScalarType, IAutoencoder> build)
    {
        Folder = folder;
        Canonical = canonical;
        Parameters = parameters;
        this.coder = coder;
        this.build = build;
    }

    /// <summary>The component's folder, absolute.</summary>
    public string Folder { get; }

    /// <summary>One line that says all that the numbers depend on besides the weights. For digests.</summary>
    public string Canonical { get; }

    /// <summary>Every parameter's name and shape.</summary>
    public IReadOnlyList<KeyValuePair<string, long[]>> Parameters { get; }

    /// <summary>Channels of a latent.</summary>
    public int LatentChannels => coder.LatentChannels;

    /// <summary>How many times wider and higher pictures are than latents.</summary>
    public int Factor => coder.Factor;

    /// <summary>Reads the config of a component of a model's folder.</summary>
    /// <exception cref="InvalidDataException">It is absent, or no autoencoder that is known.</exception>
    public static AutoencoderDefinition Read(ModelFolder folder, string component) => Parse(
        folder.Config(component), folder.ConfigPath(component), folder.PathOf(component));

    /// <summary>Reads the config of a component's folder.</summary>
    /// <exception cref="InvalidDataException">It is absent, or no autoencoder that is known.</exception>
    public static AutoencoderDefinition Read(string componentFolder)
    {
        var full = Path.GetFullPath(componentFolder);
        var source = Path.Combine(full, "config.json");
        return Parse(BoundedJson.ReadObject(source, MaxConfigBytes), source, full);
    }

    /// <summary>The shape of the pictures of latents.</summary>
    public StateShape PicturesOf(StateShape latents) => new(coder.OutChannels, latents.Height * Factor, latents.Width * Factor);

    /// <summary>The files that hold the weights, in a fixed order.</summary>
    /// <exception cref="InvalidDataException">They are not there.</exception>
    public IReadOnlyList<string> WeightFiles()
    {
        using var weights = DiffusersWeights.Open(Folder);
        return weights.Files;
    }

    /// <summary>Compares names and shapes of the weights with <see cref="Parameters"/>.</summary>
    /// <exception cref="WeightsMismatchException">They differ.</exception>
    public void CheckWeights()
    {
        using var weights = DiffusersWeights.Open(Folder);
        WeightsMismatchException.ThrowIfDifferent(weights, Parameters);
    }

    /// <summary>Builds it on a device, in float32, float16 or bfloat16.</summary>
    public IAutoencoder Load(Device device, ScalarType dtype)
    {
        using var weights = DiffusersWeights.Open(Folder);
        return build(weights, device, dtype);
    }

    static AutoencoderDefinition Parse(JsonElement config, string source, string folder)
    {
        var name = config.TryGetProperty("_class_name", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        switch (name)
        {
            case "VQModel":
                var vq = VqModelConfig.Parse(config, source);
                return new(folder, $"vq {ConfigDigest.Of(config)}", vq.Coder, VqModel.Parameters(vq), (weights, device, dtype) => VqModel.Load(vq, weights, device, dtype));
            case "AutoencoderKL":
                var kl = AutoencoderKLConfig.Parse(config, source);
                return new(folder, $"kl {ConfigDigest.Of(config)}", kl.Coder, AutoencoderKL.Parameters(kl), (weights, device, dtype) => AutoencoderKL.Load(kl, weights, device, dtype));
            default:
                throw new InvalidDataException($"{source} describes a '{name ?? "nameless class"}', which is no autoencoder that is known: VQModel and AutoencoderKL are.");
        }
    }
}
