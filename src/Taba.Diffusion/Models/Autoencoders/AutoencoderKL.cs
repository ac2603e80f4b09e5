using System.Text.Json;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>The architecture of an AutoencoderKL of diffusers. Immutable.</summary>
sealed record AutoencoderKLConfig
{
    public required CoderConfig Coder { get; init; }

    /// <summary>A state is this times a latent.</summary>
    public required double ScalingFactor { get; init; }

    public required bool UseQuantConv { get; init; }

    public required bool UsePostQuantConv { get; init; }

    /// <summary>Reads a config.json; values that would change the result and are not supported are refused.</summary>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static AutoencoderKLConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.OnlyNull("shift_factor", "latents_mean", "latents_std");
        return new AutoencoderKLConfig
        {
            Coder = CoderConfig.Read(fields),
            ScalingFactor = fields.Number("scaling_factor", 0.18215, 1e-6, 1e6),
            UseQuantConv = fields.Bool("use_quant_conv", true),
            UsePostQuantConv = fields.Bool("use_post_quant_conv", true),
        };
    }
}

/// <summary>A variational autoencoder (Kingma and Welling 2013; Rombach et al. 2022): a state is the posterior's mean, scaled.</summary>
sealed class AutoencoderKL : IAutoencoder
{
    readonly AutoencoderKLConfig config;
    readonly ParameterSet parameters;
    readonly ScalarType dtype;
    readonly Coder encoder;
    readonly Coder decoder;
    readonly Convolution? quantConv;
    readonly Convolution? postQuantConv;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all of one type on one device; the model owns them.</param>
    public AutoencoderKL(AutoencoderKLConfig config, IReadOnlyDictionary<string, Tensor> parameters)
    {
        this.config = config;
        var set = this.parameters = new ParameterSet(parameters);
        encoder = new Coder(CoderPlan.Encoder(config.Coder, 2 * config.Coder.LatentChannels), config.Coder, set);
        decoder = new Coder(CoderPlan.Decoder(config.Coder), config.Coder, set);
        quantConv = config.UseQuantConv ? set.Conv("quant_conv") : null;
        postQuantConv = config.UsePostQuantConv ? set.Conv("post_quant_conv") : null;
        dtype = set["decoder.conv_in.weight"].dtype;
    }

    public Device Device => parameters.Device;

    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(AutoencoderKLConfig config)
    {
        var latents = config.Coder.LatentChannels;
        var list = new ParameterList();
        CoderPlan.Encoder(config.Coder, 2 * latents).Declare(list);
        CoderPlan.Decoder(config.Coder).Declare(list);
        if (config.UseQuantConv)
            list.Conv("quant_conv", 2 * latents, 2 * latents, 1);
        if (config.UsePostQuantConv)
            list.Conv("post_quant_conv", latents, latents, 1);
        return list.Items;
    }

    public static AutoencoderKL Load(AutoencoderKLConfig config, IWeightSource weights, Device device, ScalarType dtype) =>
        ParameterSet.Load(weights, Parameters(config), device, dtype, loaded => new AutoencoderKL(config, loaded));

    public Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return DecodeUnscaled(latents.to(dtype).div(config.ScalingFactor)).MoveToOuterDisposeScope();
    }

    public Tensor Encode(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Posterior(pictures).Mean.mul(config.ScalingFactor).MoveToOuterDisposeScope();
    }

    /// <summary>Decodes latents as the autoencoder itself has them.</summary>
    internal Tensor DecodeUnscaled(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var x = latents.to(dtype);
        return decoder.Forward(postQuantConv is null ? x : postQuantConv.Forward(x)).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Mean and logarithm of the variance of the latents, [B,C,h,w] each, float32.</summary>
    internal (Tensor Mean, Tensor LogVariance) Posterior(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var moments = encoder.Forward(pictures.to(dtype));
        if (quantConv is not null)
            moments = moments.Then(quantConv.Forward);
        var halves = moments.to(ScalarType.Float32).chunk(2, 1);
        return (halves[0].contiguous().MoveToOuterDisposeScope(), halves[1].clamp(-30, 20).contiguous().MoveToOuterDisposeScope());
    }

    public void Dispose() => parameters.Dispose();
}
