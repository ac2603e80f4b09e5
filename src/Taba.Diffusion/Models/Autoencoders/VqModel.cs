using System.Text.Json;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>The architecture of a VQModel of diffusers. Immutable.</summary>
sealed record VqModelConfig
{
    public required CoderConfig Coder { get; init; }

    /// <summary>Entries of the codebook.</summary>
    public required int NumVqEmbeddings { get; init; }

    /// <summary>Width of an entry.</summary>
    public required int VqEmbedDim { get; init; }

    /// <summary>Reads a config.json; values that would change the result and are not supported are refused.</summary>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static VqModelConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("norm_type", "group", "group");
        fields.Only("lookup_from_codebook", false);
        var coder = CoderConfig.Read(fields);
        return new VqModelConfig
        {
            Coder = coder,
            NumVqEmbeddings = fields.Int("num_vq_embeddings", 256, 1, 1 << 24),
            VqEmbedDim = fields.OptionalInt("vq_embed_dim", 1, 65_536) ?? coder.LatentChannels,
        };
    }
}

/// <summary>
/// A vector-quantised autoencoder (van den Oord et al. 2017; Rombach et al. 2022). Latents are quantised when they are decoded, and
/// never scaled, as upstream's LDM has it, whatever the config's scaling_factor.
/// </summary>
sealed class VqModel : IAutoencoder
{
    readonly ParameterSet parameters;
    readonly ScalarType dtype;
    readonly Coder encoder;
    readonly Coder decoder;
    readonly Convolution quantConv;
    readonly Convolution postQuantConv;
    readonly Tensor codebook;

    /// <param name="config">The architecture.</param>
    /// <param name="parameters">Exactly those of <see cref="Parameters"/>, all of one type on one device; the model owns them.</param>
    public VqModel(VqModelConfig config, IReadOnlyDictionary<string, Tensor> parameters)
    {
        var set = this.parameters = new ParameterSet(parameters);
        encoder = new Coder(CoderPlan.Encoder(config.Coder, config.Coder.LatentChannels), config.Coder, set);
        decoder = new Coder(CoderPlan.Decoder(config.Coder), config.Coder, set);
        quantConv = set.Conv("quant_conv");
        postQuantConv = set.Conv("post_quant_conv");
        codebook = set["quantize.embedding.weight"];
        dtype = codebook.dtype;
    }

    public Device Device => parameters.Device;

    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(VqModelConfig config)
    {
        var list = new ParameterList();
        CoderPlan.Encoder(config.Coder, config.Coder.LatentChannels).Declare(list);
        list.Conv("quant_conv", config.Coder.LatentChannels, config.VqEmbedDim, 1);
        list.Add("quantize.embedding.weight", config.NumVqEmbeddings, config.VqEmbedDim);
        list.Conv("post_quant_conv", config.VqEmbedDim, config.Coder.LatentChannels, 1);
        CoderPlan.Decoder(config.Coder).Declare(list);
        return list.Items;
    }

    public static VqModel Load(VqModelConfig config, IWeightSource weights, Device device, ScalarType dtype) =>
        ParameterSet.Load(weights, Parameters(config), device, dtype, loaded => new VqModel(config, loaded));

    public Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var x = latents.to(dtype);
        return DecodeUnquantized(Lookup(x, Indices(x))).MoveToOuterDisposeScope();
    }

    public Tensor Encode(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return encoder.Forward(pictures.to(dtype)).Then(quantConv.Forward).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Decodes without looking into the codebook.</summary>
    internal Tensor DecodeUnquantized(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return decoder.Forward(postQuantConv.Forward(latents.to(dtype))).to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The nearest entries by Euclidean distance: [B,h,w], int64.</summary>
    internal Tensor Indices(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var (batch, height, width) = (latents.size(0), latents.size(2), latents.size(3));
        var entries = codebook.to(ScalarType.Float32);
        var z = latents.to(ScalarType.Float32).permute(0, 2, 3, 1).reshape(-1, entries.size(1));

        // |z|² is the same for all entries: the nearest has the least |e|² - 2·z·e.
        var distances = entries.square().sum(1).unsqueeze(0).sub(z.matmul(entries.t()).mul(2));
        return distances.argmin(1).view(batch, height, width).MoveToOuterDisposeScope();
    }

    /// <summary>The entries of indices: [B,D,h,w].</summary>
    internal Tensor Lookup(Tensor like, Tensor indices)
    {
        using var scope = NewDisposeScope();
        return codebook.index_select(0, indices.flatten()).view(like.size(0), like.size(2), like.size(3), -1).permute(0, 3, 1, 2).contiguous()
            .MoveToOuterDisposeScope();
    }

    public void Dispose() => parameters.Dispose();
}
