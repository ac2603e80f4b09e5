using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>The sizes of both halves of a CLIP.</summary>
/// <param name="Vision">Of the pictures' transformer.</param>
/// <param name="Text">Of the texts' transformer.</param>
/// <param name="Side">Pixels of a picture along each side, a multiple of the patch.</param>
/// <param name="Patch">Pixels of a patch along each side.</param>
/// <param name="Vocabulary">Tokens that there are; the last one ends a text.</param>
/// <param name="Length">Tokens of a text, padding included.</param>
/// <param name="Width">Of the space that both are projected to.</param>
public sealed record ClipSizes(
    TransformerSizes Vision, TransformerSizes Text, int Side, int Patch, int Vocabulary, int Length, int Width);

/// <summary>
/// Contrastive embeddings of pictures and texts (Radford et al. 2021; "openai/clip-vit-base-patch32", by the names of transformers'
/// CLIPModel): the projected class token and the projected last token. Upstream's CLIP-I is the cosine of two pictures, CLIPScore 2.5
/// times that of picture and caption where it is above 0. Owns its parameters; not thread-safe.
/// </summary>
public sealed class ClipFeatures : IDisposable
{
    /// <summary>ViT-B/32.</summary>
    public static readonly ClipSizes BasePatch32 = new(
        new(768, 12, 12, 3072, 1e-5, QuickGelu: true), new(512, 12, 8, 2048, 1e-5, QuickGelu: true), 224, 32, 49_408, 77, 512);

    /// <summary>Mean of the channels that pictures were trained with.</summary>
    public static readonly IReadOnlyList<float> Mean = [0.48145466f, 0.4578275f, 0.40821073f];

    /// <summary>And their deviation.</summary>
    public static readonly IReadOnlyList<float> Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    const string Vision = "vision_model";
    const string Text = "text_model";
    const string Class = $"{Vision}.embeddings.class_embedding";
    const string Patches = $"{Vision}.embeddings.patch_embedding.weight";
    const string Positions = $"{Vision}.embeddings.position_embedding.weight";
    const string Tokens = $"{Text}.embeddings.token_embedding.weight";
    const string Places = $"{Text}.embeddings.position_embedding.weight";

    // The checkpoint spells it so.
    const string FirstNorm = $"{Vision}.pre_layrnorm";
    const string LastNorm = $"{Vision}.post_layernorm";
    const string TextNorm = $"{Text}.final_layer_norm";
    const string VisualProjection = "visual_projection";
    const string TextProjection = "text_projection";

    static readonly Scalar s_hidden = double.NegativeInfinity.ToScalar();

    readonly ClipSizes _sizes;
    readonly ParameterSet _parameters;
    readonly PreNormBlock[] _visionBlocks;
    readonly PreNormBlock[] _textBlocks;

    /// <summary>Its sizes.</summary>
    public ClipSizes Sizes => _sizes;

    ClipFeatures(ClipSizes sizes, ParameterSet parameters)
    {
        (_sizes, _parameters) = (sizes, parameters);
        _visionBlocks = Blocks(sizes.Vision, Vision);
        _textBlocks = Blocks(sizes.Text, Text);

        PreNormBlock[] Blocks(TransformerSizes half, string name) => [.. Enumerable.Range(0, half.Layers)
            .Select(i => new PreNormBlock(half, BlockNames.Clip, parameters, $"{name}.encoder.layers.{i}"))];
    }

    /// <summary>Names and shapes; a checkpoint's temperature and lists of positions are passed over.</summary>
    public static IReadOnlyList<KeyValuePair<string, long[]>> Parameters(ClipSizes sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        var (vision, text) = (sizes.Vision, sizes.Text);
        var list = new ParameterList();
        list.Add(Tokens, sizes.Vocabulary, text.Width);
        list.Add(Places, sizes.Length, text.Width);
        for (var i = 0; i < text.Layers; i++)
            PreNormBlock.Declare(list, text, BlockNames.Clip, $"{Text}.encoder.layers.{i}");
        list.Norm(TextNorm, text.Width);
        list.Add(Class, vision.Width);
        list.Add(Patches, vision.Width, 3, sizes.Patch, sizes.Patch);
        list.Add(Positions, 1 + (sizes.Side / sizes.Patch * (sizes.Side / sizes.Patch)), vision.Width);
        list.Norm(FirstNorm, vision.Width);
        for (var i = 0; i < vision.Layers; i++)
            PreNormBlock.Declare(list, vision, BlockNames.Clip, $"{Vision}.encoder.layers.{i}");
        list.Norm(LastNorm, vision.Width);
        list.Linear(VisualProjection, vision.Width, sizes.Width, bias: false);
        list.Linear(TextProjection, text.Width, sizes.Width, bias: false);
        return list.Items;
    }

    /// <summary>Builds the network from a checkpoint.</summary>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    public static ClipFeatures Load(ClipSizes sizes, IWeightSource weights, Device device) =>
        new(sizes, FeatureParameters.Load(weights, Parameters(sizes), device));

    /// <summary>Embeddings of pictures.</summary>
    /// <param name="pictures">[B,3,side,side], normalised: see <see cref="PictureInput.Cropped"/>.</param>
    /// <returns>[B,width], of any length.</returns>
    /// <exception cref="ArgumentException">The pictures have another size.</exception>
    public Tensor OfPictures(Tensor pictures)
    {
        FeatureParameters.RequirePictures(pictures, _sizes.Side, "CLIP");
        if (pictures.shape[2] != _sizes.Side || pictures.shape[3] != _sizes.Side)
            throw new ArgumentException($"CLIP takes pictures of {_sizes.Side}x{_sizes.Side} pixels.", nameof(pictures));

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var patches = nn.functional.conv2d(pictures, _parameters[Patches], strides: [_sizes.Patch, _sizes.Patch]);
        var first = _parameters[Class].expand(pictures.shape[0], 1, -1);
        var x = cat([first, patches.flatten(2).transpose(1, 2)], 1).add(_parameters[Positions], Scalars.One);
        x = Norm(FirstNorm, _sizes.Vision).Forward(x);
        foreach (var block in _visionBlocks)
            block.Apply(x, null);
        var token = Norm(LastNorm, _sizes.Vision).Forward(x.select(1, 0));
        return _parameters.Linear(VisualProjection).Forward(token).MoveToOuterDisposeScope();
    }

    /// <summary>Embeddings of texts.</summary>
    /// <param name="tokens">[B,L], int64: each row begins with the start token and holds the end token, which has the largest id.</param>
    /// <returns>[B,width], of any length.</returns>
    /// <exception cref="ArgumentException">There are too many tokens, or an id is unknown.</exception>
    public Tensor OfTexts(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var states = TextStates(tokens);

        // The first place of the largest id: the end of the text.
        var ends = tokens.argmax(1).reshape(-1, 1, 1).expand(-1, 1, states.shape[2]);
        var pooled = states.gather(1, ends).squeeze(1);
        return _parameters.Linear(TextProjection).Forward(pooled).MoveToOuterDisposeScope();
    }

    /// <summary>The text transformer's states, [B,L,text width], behind the last normalisation.</summary>
    internal Tensor TextStates(Tensor tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var shape = tokens.shape;
        if (shape.Length != 2 || shape[1] < 1 || shape[1] > _sizes.Length)
            throw new ArgumentException($"CLIP takes texts [B,L] of 1 to {_sizes.Length} tokens, not [{string.Join(",", shape)}].");

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (least, most) = (tokens.min().item<long>(), tokens.max().item<long>());
        if (least < 0 || most >= _sizes.Vocabulary)
            throw new ArgumentException($"Token ids lie between {least} and {most}; CLIP knows 0 to {_sizes.Vocabulary - 1}.");

        var length = shape[1];
        var embedded = _parameters[Tokens].index_select(0, tokens.flatten()).view(shape[0], length, _sizes.Text.Width);
        var x = embedded.add(_parameters[Places].narrow(0, 0, length), Scalars.One);
        var mask = full([length, length], s_hidden, ScalarType.Float32, x.device).triu(1);
        foreach (var block in _textBlocks)
            block.Apply(x, mask);
        return Norm(TextNorm, _sizes.Text).Forward(x).MoveToOuterDisposeScope();
    }

    public void Dispose() => _parameters.Dispose();

    FeatureNorm Norm(string name, TransformerSizes half) => new(_parameters, name, half.Eps);
}
