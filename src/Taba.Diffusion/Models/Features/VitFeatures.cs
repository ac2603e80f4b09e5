using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// A vision transformer's class token behind the last normalisation (Dosovitskiy et al. 2021; DINO: Caron et al. 2021,
/// "facebook/dino-vits16", by the names of transformers' ViTModel). Upstream measures the cosine of two pictures'
/// tokens. Owns its parameters; not thread-safe.
/// </summary>
public sealed class VitFeatures : IDisposable
{
    /// <summary>DINO's ViT-S/16.</summary>
    public static readonly TransformerSizes DinoSmall = new(384, 12, 6, 1536, 1e-12, QuickGelu: false);

    /// <summary>Mean of the channels that pictures were trained with (ImageNet's).</summary>
    public static readonly IReadOnlyList<float> Mean = [0.485f, 0.456f, 0.406f];

    /// <summary>And their deviation.</summary>
    public static readonly IReadOnlyList<float> Deviation = [0.229f, 0.224f, 0.225f];

    const string Embeddings = "embeddings";
    const string Projection = $"{Embeddings}.patch_embeddings.projection";

    readonly ParameterSet _parameters;
    readonly PreNormBlock[] _blocks;
    readonly FeatureNorm _norm;
    readonly Convolution _patches;
    readonly int _side;

    /// <summary>Pixels of a picture along each side.</summary>
    public int Side => _side;

    /// <summary>Values of a class token.</summary>
    public int Width { get; }

    VitFeatures(TransformerSizes sizes, int side, int patch, ParameterSet parameters)
    {
        _parameters = parameters;
        (_side, Width) = (side, sizes.Width);
        _patches = parameters.Conv(Projection, stride: patch, padding: 0);
        _blocks = [.. Enumerable.Range(0, sizes.Layers)
            .Select(i => new PreNormBlock(sizes, BlockNames.Vit, parameters, $"encoder.layer.{i}"))];
        _norm = new FeatureNorm(parameters, "layernorm", sizes.Eps);
    }

    /// <summary>Names and shapes; a checkpoint's pooler is passed over.</summary>
    /// <param name="sizes">Of the transformer.</param>
    /// <param name="side">Pixels of a picture along each side, a multiple of the patch.</param>
    /// <param name="patch">Pixels of a patch along each side.</param>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(TransformerSizes sizes, int side = 224, int patch = 16)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        var list = new ParameterList();
        list.Add($"{Embeddings}.cls_token", 1, 1, sizes.Width);
        list.Add($"{Embeddings}.position_embeddings", 1, 1 + (side / patch * (side / patch)), sizes.Width);
        list.Conv(Projection, 3, sizes.Width, patch);
        for (var i = 0; i < sizes.Layers; i++)
            PreNormBlock.Declare(list, sizes, BlockNames.Vit, $"encoder.layer.{i}");
        list.Norm("layernorm", sizes.Width);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static VitFeatures Load(TransformerSizes sizes, IWeightSource weights, Device device, int side = 224, int patch = 16) =>
        new(sizes, side, patch, FeatureParameters.Load(weights, Parameters(sizes, side, patch), device));

    /// <summary>The class tokens of pictures.</summary>
    /// <param name="pictures">[B,3,side,side], normalised: see <see cref="PictureInput.Cropped"/>.</param>
    /// <returns>[B,width].</returns>
    /// <exception cref="ArgumentException">The pictures have another size.</exception>
    public Tensor Forward(Tensor pictures)
    {
        FeatureParameters.RequirePictures(pictures, _side, "ViT");
        if (pictures.shape[2] != _side || pictures.shape[3] != _side)
            throw new ArgumentException($"ViT takes pictures of {_side}x{_side} pixels.", nameof(pictures));

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var tokens = _patches.Forward(pictures).flatten(2).transpose(1, 2);
        var first = _parameters[$"{Embeddings}.cls_token"].expand(pictures.shape[0], -1, -1);
        var x = cat([first, tokens], 1).add(_parameters[$"{Embeddings}.position_embeddings"], Scalars.One);
        foreach (var block in _blocks)
            block.Apply(x, null);
        return _norm.Forward(x.select(1, 0)).MoveToOuterDisposeScope();
    }

    public void Dispose() => _parameters.Dispose();
}
