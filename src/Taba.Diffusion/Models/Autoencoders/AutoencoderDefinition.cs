using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>An autoencoder as its folder has it: enough to plan with, and to build the network from. Immutable.</summary>
public sealed record AutoencoderDefinition
{
    const string ConfigFile = "config.json";
    const int MaxConfigBytes = 4 << 20;

    readonly Func<DiffusersWeights> _open;

    AutoencoderDefinition(string folder, JsonElement config, string source, Func<DiffusersWeights> open)
    {
        var className = JsonFields.Of(config, source).Choice("_class_name", null, VqModelConfig.ClassName, AutoencoderKLConfig.ClassName);
        Folder = folder;
        Canonical = $"{className} {ConfigDigest.Of(config)}";
        Config = className == VqModelConfig.ClassName ? VqModelConfig.Parse(config, source) : AutoencoderKLConfig.Parse(config, source);
        _open = open;
    }

    /// <summary>The folder, absolute, which holds config and weights.</summary>
    public string Folder { get; }

    /// <summary>The architecture.</summary>
    public AutoencoderConfig Config { get; }

    /// <summary>Channels of a state.</summary>
    public int LatentChannels => Config.StateChannels;

    /// <summary>Pixels of a picture for one of a state, along each side.</summary>
    public int Factor => Config.Factor;

    /// <summary>One line that says all that pictures depend on besides the weights. For digests.</summary>
    public string Canonical { get; }

    /// <summary>Every parameter's name and shape, in the order of the state dict.</summary>
    public IReadOnlyList<KeyValuePair<string, long[]>> Parameters => Config.Parameters();

    /// <summary>Reads a component of a model's folder; no weights are touched.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="component">vae or vqvae.</param>
    /// <exception cref="InvalidDataException">There is no such component, or its config cannot be used.</exception>
    public static AutoencoderDefinition Read(ModelFolder folder, string component)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var (config, source) = (folder.Config(component), folder.ConfigPath(component));
        return new AutoencoderDefinition(folder.PathOf(component), config, source, () => folder.OpenWeights(component));
    }

    /// <summary>Reads a folder that holds an autoencoder's config and weights; no weights are touched.</summary>
    /// <exception cref="InvalidDataException">There is no config, or it cannot be used.</exception>
    public static AutoencoderDefinition Read(string componentFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(componentFolder);
        var folder = Path.GetFullPath(componentFolder);
        var source = Path.Combine(folder, ConfigFile);
        return new AutoencoderDefinition(
            folder, BoundedJson.ReadObject(source, MaxConfigBytes), source, () => DiffusersWeights.Open(folder));
    }

    /// <summary>The shape of the picture that a state becomes.</summary>
    public StateShape PicturesOf(StateShape latents) => new(Config.Channels, latents.Height * Factor, latents.Width * Factor);

    /// <summary>The files that hold the weights, in a fixed order.</summary>
    /// <exception cref="InvalidDataException">There are none.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged, hostile or of another kind.</exception>
    public IReadOnlyList<string> WeightFiles()
    {
        using var weights = _open();
        return weights.Files;
    }

    /// <summary>Compares names and shapes of the weights with <see cref="Parameters"/>.</summary>
    /// <exception cref="WeightsMismatchException">They differ.</exception>
    /// <exception cref="InvalidDataException">There are none.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged, hostile or of another kind.</exception>
    public void CheckWeights()
    {
        using var weights = _open();
        WeightsMismatchException.ThrowIfDifferent(weights, Parameters);
    }

    /// <summary>Builds the network on a device.</summary>
    /// <param name="device">Where the network lives.</param>
    /// <param name="dtype">float32, float16 or bfloat16.</param>
    /// <param name="form">How it is computed.</param>
    /// <exception cref="WeightsMismatchException">The weights are of another architecture.</exception>
    /// <exception cref="ArgumentException">The type is none that a network computes in.</exception>
    public IAutoencoder Load(Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast)
    {
        using var weights = _open();
        return Config.Load(weights, device, dtype, form);
    }
}
