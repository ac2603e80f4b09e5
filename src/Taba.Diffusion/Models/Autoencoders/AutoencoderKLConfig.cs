using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>The architecture of an <see cref="AutoencoderKL"/>, in the words of its config.json in diffusers. Immutable.</summary>
public sealed record AutoencoderKLConfig : AutoencoderConfig
{
    internal const string ClassName = "AutoencoderKL";

    AutoencoderKLConfig(JsonFields fields)
        : base(fields, latentChannels: 4)
    {
        ScalingFactor = fields.Number("scaling_factor", 0.18215, 1e-6, 1e6);
        fields.Only("use_quant_conv", true);
        fields.Only("use_post_quant_conv", true);
        fields.OnlyNull("shift_factor", "latents_mean", "latents_std");
    }

    /// <summary>The factor between latents and the diffusion model's states: state = latent · factor.</summary>
    public double ScalingFactor { get; }

    /// <summary>
    /// Reads a config.json. Fields that change nothing, and unknown ones, are ignored; values that would change the result and are
    /// not supported are refused.
    /// </summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static AutoencoderKLConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("_class_name", ClassName, ClassName);
        return new AutoencoderKLConfig(fields);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters()
    {
        var list = new ParameterList();
        CoderPlan.Encoder(this, 2 * LatentChannels).Declare(list);
        CoderPlan.Decoder(this).Declare(list);
        list.Conv("quant_conv", 2 * LatentChannels, 2 * LatentChannels, 1);
        list.Conv("post_quant_conv", LatentChannels, LatentChannels, 1);
        return list.Items;
    }

    /// <inheritdoc/>
    public override AutoencoderKL Load(
        IWeightSource weights, Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast) =>
        ParameterSet.Load(weights, Parameters(), device, dtype, loaded => new AutoencoderKL(this, loaded, form));
}
