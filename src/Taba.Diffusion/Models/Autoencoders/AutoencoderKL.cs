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

    readonly AutoencoderKLConfig _config;
    readonly ParameterSet _parameters;
    readonly ScalarType _dtype;
    readonly Scalar _scalingFactor;
    readonly Coder _encoder;
    readonly Coder _decoder;
    readonly Convolution _quantConv;
    readonly Convolution _postQuantConv;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly the config's, all of one type on one device; the network owns them.</param>
    /// <param name="form">How it is computed.</param>
    public AutoencoderKL(AutoencoderKLConfig config, IReadOnlyDictionary<string, Tensor> parameters, NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters, form);
        _config = config;
        _parameters = set;
        _scalingFactor = config.ScalingFactor.ToScalar();
        _dtype = set["post_quant_conv.weight"].dtype;
        _encoder = new Coder(CoderPlan.Encoder(config, 2 * config.LatentChannels), set);
        _decoder = new Coder(CoderPlan.Decoder(config), set);
        _quantConv = set.Conv("quant_conv");
        _postQuantConv = set.Conv("post_quant_conv");
    }

    /// <inheritdoc/>
    public Device Device => _parameters.Device;

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        _config.RequireLatents(latents);
        using var scope = NewDisposeScope();
        return DecodeUnscaled(latents.div(_scalingFactor)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (mean, _) = Posterior(images);
        return mean.mul_(_scalingFactor).MoveToOuterDisposeScope();
    }

    public void Dispose() => _parameters.Dispose();

    /// <summary><see cref="Decode"/> of latents as the encoder makes them.</summary>
    internal Tensor DecodeUnscaled(Tensor latents)
    {
        _config.RequireLatents(latents);
        using var scope = NewDisposeScope();
        return _postQuantConv.Forward(latents.to(_dtype)).Then(_decoder.Forward).to(
            ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Mean and logarithm of the variance of what encodes a picture, float32, not scaled.</summary>
    internal (Tensor Mean, Tensor LogVariance) Posterior(Tensor images)
    {
        _config.RequireImages(images);
        using var scope = NewDisposeScope();
        var moments = _encoder.Forward(images.to(_dtype)).Then(_quantConv.Forward).to(ScalarType.Float32).chunk(2, 1);
        return (moments[0].contiguous().MoveToOuterDisposeScope(),
            moments[1].clamp(s_leastLogVariance, s_mostLogVariance).contiguous().MoveToOuterDisposeScope());
    }
}
