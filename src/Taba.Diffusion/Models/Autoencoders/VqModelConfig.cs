using System.Text.Json;
using Taba.Diffusion.Json;
using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Autoencoders;

/// <summary>
/// The architecture of a <see cref="VqModel"/>, in the words of VQModel's config.json in diffusers. Its scaling_factor is used
/// nowhere. Immutable.
/// </summary>
public sealed record VqModelConfig : AutoencoderConfig
{
    internal const string ClassName = "VQModel";

    VqModelConfig(JsonFields fields)
        : base(fields, latentChannels: 3)
    {
        NumVqEmbeddings = fields.Int("num_vq_embeddings", 256, 1, 16_777_216);
        VqEmbedDim = fields.Int("vq_embed_dim", LatentChannels, 1, 1024);
        fields.Choice("norm_type", "group", "group");
        fields.Only("lookup_from_codebook", false);
    }

    /// <summary>Entries of the codebook.</summary>
    public int NumVqEmbeddings { get; }

    /// <summary>Length of an entry.</summary>
    public int VqEmbedDim { get; }

    /// <inheritdoc/>
    public override int StateChannels => VqEmbedDim;

    /// <summary>
    /// Reads a config.json. Fields that change nothing, and unknown ones, are ignored; values that would change the result and are
    /// not supported are refused.
    /// </summary>
    /// <param name="element">The config.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">One sentence names the file, the field, its value and what is known.</exception>
    public static VqModelConfig Parse(JsonElement element, string source)
    {
        var fields = JsonFields.Of(element, source);
        fields.Choice("_class_name", ClassName, ClassName);
        return new VqModelConfig(fields);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, long[]>> Parameters()
    {
        var list = new ParameterList();
        CoderPlan.Encoder(this, LatentChannels).Declare(list);
        list.Conv("quant_conv", LatentChannels, VqEmbedDim, 1);
        list.Add(VqModel.Codebook, NumVqEmbeddings, VqEmbedDim);
        list.Conv("post_quant_conv", VqEmbedDim, LatentChannels, 1);
        CoderPlan.Decoder(this).Declare(list);
        return list.Items;
    }

    /// <inheritdoc/>
    /// <remarks>The codebook stays float32: a rounded one would name other entries.</remarks>
    public override VqModel Load(
        IWeightSource weights, Device device, ScalarType dtype, NetworkForm form = NetworkForm.Fast)
    {
        ParameterSet.Computable(dtype);
        return ParameterSet.Load(
            weights, Parameters(), device, name => name == VqModel.Codebook
                ? ScalarType.Float32
                : dtype, loaded => new VqModel(this, loaded, form));
    }
}
