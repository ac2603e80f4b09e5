using Taba.Diffusion.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>
/// An autoencoder with a codebook (VQ-VAE, van den Oord et al. 2017, as VQGAN and Rombach et al. 2022 have it). A state is what the
/// encoder makes, not yet quantised and not scaled; decoding quantises it. For inference; owns its parameters.
/// </summary>
public sealed class VqModel : IAutoencoder
{
    internal const string Codebook = "quantize.embedding.weight";

    /// <summary>Distances held at once: 64 MiB of float32.</summary>
    const long MostDistances = 1 << 24;

    readonly VqModelConfig _config;
    readonly ParameterSet _parameters;
    readonly ScalarType _dtype;
    readonly Coder _encoder;
    readonly Coder _decoder;
    readonly Convolution _quantConv;
    readonly Convolution _postQuantConv;
    readonly Tensor _codebook;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly the config's, on one device, of one type but for the codebook; the network owns them.</param>
    /// <param name="form">How it is computed.</param>
    public VqModel(VqModelConfig config, IReadOnlyDictionary<string, Tensor> parameters, NetworkForm form = NetworkForm.Plain)
    {
        ArgumentNullException.ThrowIfNull(config);
        var set = new ParameterSet(parameters, form);
        _config = config;
        _parameters = set;
        _dtype = set["post_quant_conv.weight"].dtype;
        _encoder = new Coder(CoderPlan.Encoder(config, config.LatentChannels), set);
        _decoder = new Coder(CoderPlan.Decoder(config), set);
        _quantConv = set.Conv("quant_conv");
        _postQuantConv = set.Conv("post_quant_conv");
        _codebook = set[Codebook];
    }

    /// <inheritdoc/>
    public Device Device => _parameters.Device;

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return DecodeUnquantized(Quantized(latents)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        _config.RequireImages(images);
        using var scope = NewDisposeScope();
        return _encoder.Forward(images.to(_dtype)).Then(_quantConv.Forward).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    public void Dispose() => _parameters.Dispose();

    /// <summary>The rest of <see cref="Decode"/>, on latents as they are.</summary>
    internal Tensor DecodeUnquantized(Tensor latents)
    {
        _config.RequireLatents(latents);
        using var scope = NewDisposeScope();
        return _postQuantConv.Forward(latents.to(_dtype)).Then(_decoder.Forward).to(
            ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Every pixel's vector replaced by the nearest entry of the codebook.</summary>
    /// <param name="latents">[B,D,H,W].</param>
    /// <returns>[B,D,H,W], of the codebook's type.</returns>
    internal Tensor Quantized(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var indices = Indices(latents);
        return _codebook.index_select(0, indices.flatten()).reshape([.. indices.shape, _config.VqEmbedDim]).permute(0, 3, 1, 2)
            .contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The entry of the codebook nearest to each pixel's vector by Euclidean distance; the first of several.</summary>
    /// <param name="latents">[B,D,H,W].</param>
    /// <returns>[B,H,W], int64.</returns>
    internal Tensor Indices(Tensor latents)
    {
        _config.RequireLatents(latents);
        using var scope = NewDisposeScope();
        var entries = _codebook.to(ScalarType.Float32);
        var vectors = latents.to(ScalarType.Float32).permute(0, 2, 3, 1).reshape(-1, _config.VqEmbedDim);
        var count = vectors.size(0);
        var chunk = Math.Max(1, MostDistances / _config.NumVqEmbeddings);
        var nearest = new List<Tensor>();
        for (var start = 0L; start < count; start += chunk)
            nearest.Add(Nearest(vectors.narrow(0, start, Math.Min(chunk, count - start)), entries));
        return cat(nearest, 0).reshape(latents.size(0), latents.size(2), latents.size(3)).MoveToOuterDisposeScope();
    }

    /// <remarks>
    /// Distances by differences: by a product of matrices they are less exact, and depend on how many rows there are.
    /// </remarks>
    static Tensor Nearest(Tensor vectors, Tensor entries)
    {
        using var scope = NewDisposeScope();
        return cdist(vectors, entries, 2, compute_mode.donot_use_mm_for_euclid_dist).argmin(1).MoveToOuterDisposeScope();
    }
}
