using Taba.Diffusion.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>
/// A variational autoencoder (Kingma and Welling 2014, as in Rombach et al. 2022). A state is the posterior's mean times the
/// scaling factor. For inference; owns its parameters.
/// </summary>
public sealed class AutoencoderKL : IAutoencoder
{
    static readonly Scalar s_leastLogVariance = (-30.0).ToScalar();
    static readonly Scalar s_mostLogVariance = 20.0.ToScalar();

    readonly AutoencoderKLConfig config;
    readonly ParameterSet parameters;
    readonly ScalarType dtype;
    readonly Scalar scalingFactor;
    readonly Coder encoder;
    readonly Coder decoder;
    readonly Convolution quantConv;
    readonly Convolution postQuantConv;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly the config's, all of one type on one device; the network owns them.</param>
    public AutoencoderKL(AutoencoderKLConfig config, IReadOnlyDictionary<string, Tensor> parameters)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters);
        this.config = config;
        this.parameters = set;
        scalingFactor = config.ScalingFactor.ToScalar();
        dtype = set["post_quant_conv.weight"].dtype;
        encoder = new Coder(CoderPlan.Encoder(config, 2 * config.LatentChannels), set);
        decoder = new Coder(CoderPlan.Decoder(config), set);
        quantConv = set.Conv("quant_conv");
        postQuantConv = set.Conv("post_quant_conv");
    }

    /// <inheritdoc/>
    public Device Device => parameters.Device;

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        config.RequireLatents(latents);
        using var scope = NewDisposeScope();
        return DecodeUnscaled(latents.div(scalingFactor)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (mean, _) = Posterior(images);
        return mean.mul_(scalingFactor).MoveToOuterDisposeScope();
    }

    public void Dispose() => parameters.Dispose();

    /// <summary><see cref="Decode"/> of latents as the encoder makes them.</summary>
    internal Tensor DecodeUnscaled(Tensor latents)
    {
        config.RequireLatents(latents);
        using var scope = NewDisposeScope();
        return postQuantConv.Forward(latents.to(dtype)).Then(decoder.Forward).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Mean and logarithm of the variance of what encodes a picture, float32, not scaled.</summary>
    internal (Tensor Mean, Tensor LogVariance) Posterior(Tensor images)
    {
        config.RequireImages(images);
        using var scope = NewDisposeScope();
        var moments = encoder.Forward(images.to(dtype)).Then(quantConv.Forward).to(ScalarType.Float32).chunk(2, 1);
        return (moments[0].contiguous().MoveToOuterDisposeScope(),
            moments[1].clamp(s_leastLogVariance, s_mostLogVariance).contiguous().MoveToOuterDisposeScope());
    }
}
