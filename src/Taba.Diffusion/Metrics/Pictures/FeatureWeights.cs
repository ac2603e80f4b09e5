using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>
/// Where the weights of networks lie, as a user named them. Networks are loaded when they are asked for, and a few stay. Not thread-safe.
/// </summary>
/// <param name="paths">A file or a folder: see <see cref="FeatureNetwork"/>.</param>
/// <param name="most">Networks that stay on the device, 1 or more; the one that was wanted last stays longest.</param>
public sealed class FeatureWeights(IReadOnlyDictionary<FeatureNetwork, string> paths, int most = 1) : IDisposable
{
    readonly List<(FeatureNetwork Network, IDisposable Loaded)> _loaded = [];

    /// <summary>In place of what <see cref="Load"/> does, for tests: VGG16 has 134 million parameters.</summary>
    internal Func<FeatureNetwork, PictureEmbedder>? Substitute { get; init; }

    /// <summary>Whether weights were named.</summary>
    public bool Has(FeatureNetwork network) => paths.ContainsKey(network);

    /// <summary>Checks what was named, without loading it: files that are there, names and shapes.</summary>
    /// <exception cref="InvalidDataException">A file is missing, or of another kind.</exception>
    /// <exception cref="IOException">A file is missing, or cannot be read.</exception>
    /// <exception cref="WeightsFormatException">A file is damaged or hostile.</exception>
    /// <exception cref="WeightsMismatchException">A checkpoint is of another architecture.</exception>
    public void Check()
    {
        foreach (var (network, path) in paths)
            Check(network, path);
    }

    /// <summary>The files that a network's numbers depend on, in a fixed order: what its digest is of.</summary>
    /// <inheritdoc cref="Check()" path="/exception"/>
    public static IReadOnlyList<string> FilesOf(FeatureNetwork network, string path) => network switch
    {
        FeatureNetwork.Dino => TransformersFolder.Files(path),
        FeatureNetwork.Clip =>
        [
            .. TransformersFolder.Files(path), Path.Combine(path, ClipTokenizer.VocabularyFile),
            Path.Combine(path, ClipTokenizer.MergesFile),
        ],
        FeatureNetwork.DreamSim => DreamSim.Files(path),
        _ => [path],
    };

    /// <summary>Values of a picture that <see cref="PictureSettings"/> keeps of a network of sets; 0 of one that compares pairs.</summary>
    public static int ValuesOf(FeatureNetwork network) => network switch
    {
        FeatureNetwork.Inception => InceptionFeatures.Width + InceptionFeatures.Classes,
        FeatureNetwork.Vgg => Vgg16Features.Width,
        _ => 0,
    };

    /// <summary>Frees what is loaded; it is loaded again when it is asked for.</summary>
    public void Dispose()
    {
        foreach (var (_, loaded) in _loaded)
            loaded.Dispose();
        _loaded.Clear();
    }

    /// <summary>LPIPS.</summary>
    internal Lpips Lpips(Device device) => (Lpips)Keep(FeatureNetwork.Lpips, () => LoadLpips(device));

    /// <summary>A network that gives features of pictures, with what it needs of a picture.</summary>
    internal PictureEmbedder Embedder(FeatureNetwork network, Device device) =>
        (PictureEmbedder)Keep(network, () => Load(network, device));

    IDisposable Keep(FeatureNetwork network, Func<IDisposable> load)
    {
        var at = _loaded.FindIndex(known => known.Network == network);
        if (at >= 0)
        {
            var known = _loaded[at];
            _loaded.RemoveAt(at);
            _loaded.Add(known);
            return known.Loaded;
        }

        // Before, not after: two large networks may not fit.
        for (; _loaded.Count >= most; _loaded.RemoveAt(0))
            _loaded[0].Loaded.Dispose();
        var loaded = load();
        _loaded.Add((network, loaded));
        return loaded;
    }

    Lpips LoadLpips(Device device)
    {
        using var alexNet = WeightsFile.Open(paths[FeatureNetwork.AlexNet]);
        using var channels = WeightsFile.Open(paths[FeatureNetwork.Lpips]);
        return Models.Features.Lpips.Load(alexNet, channels, device);
    }

    /// <summary>CLIP's tokenizer.</summary>
    internal ClipTokenizer LoadTokenizer() => ClipTokenizer.Load(paths[FeatureNetwork.Clip]);

    PictureEmbedder Load(FeatureNetwork network, Device device) => Substitute is not null ? Substitute(network) : network switch
    {
        FeatureNetwork.Inception => OfInception(device),
        FeatureNetwork.Vgg => OfVgg(device),
        FeatureNetwork.Dino => OfDino(device),
        FeatureNetwork.Clip => OfClip(TransformersFolder.LoadClip(paths[FeatureNetwork.Clip], device)),
        FeatureNetwork.DreamSim => OfDreamSim(device),
        _ => throw new ArgumentOutOfRangeException(nameof(network), network, "It gives no features of single pictures."),
    };

    static PictureEmbedder OfClip(ClipFeatures clip)
    {
        var (mean, deviation) = (ClipFeatures.Mean.ToArray(), ClipFeatures.Deviation.ToArray());
        var side = clip.Sizes.Side;
        return new(
            clip, side, picture => PictureInput.Cropped(picture.Pixels, picture.Height, picture.Width, side, side, mean, deviation),
            clip.OfPictures);
    }

    PictureEmbedder OfInception(Device device)
    {
        using var weights = WeightsFile.Open(paths[FeatureNetwork.Inception]);
        var inception = InceptionFeatures.Load(weights, device);
        return new(inception, InceptionFeatures.Side, LikeTensorFlow1(InceptionFeatures.Side), pictures =>
        {
            var (features, logits) = inception.Forward(pictures);
            return cat([features, logits], 1);
        });
    }

    PictureEmbedder OfVgg(Device device)
    {
        using var weights = WeightsFile.Open(paths[FeatureNetwork.Vgg]);
        var vgg = Vgg16Features.Load(weights, device);
        return new(vgg, Vgg16Features.Side, LikeTensorFlow1(Vgg16Features.Side), vgg.Forward);
    }

    PictureEmbedder OfDino(Device device)
    {
        // Pictures of 256 pixels of which the middle 224 are taken.
        const int Resized = 256;
        const int Cropped = 224;
        var (mean, deviation) = (VitFeatures.Mean.ToArray(), VitFeatures.Deviation.ToArray());
        var vit = TransformersFolder.LoadVit(paths[FeatureNetwork.Dino], device);
        var side = vit.Side * Resized / Cropped;
        return new(
            vit, vit.Side, picture => PictureInput.Cropped(picture.Pixels, picture.Height, picture.Width, side, vit.Side, mean, deviation),
            vit.Forward);
    }

    PictureEmbedder OfDreamSim(Device device)
    {
        var dreamSim = DreamSim.Load(paths[FeatureNetwork.DreamSim], device);
        return new(
            dreamSim, DreamSim.Side, picture => PictureInput.Squeezed(picture.Pixels, picture.Height, picture.Width, DreamSim.Side),
            dreamSim.Forward);
    }

    static Func<Picture, float[]> LikeTensorFlow1(int side) =>
        picture => PictureInput.LikeTensorFlow1(picture.Pixels, picture.Height, picture.Width, side);

    static void Check(FeatureNetwork network, string path)
    {
        switch (network)
        {
            case FeatureNetwork.Inception:
                Check(path, InceptionFeatures.Parameters());
                break;
            case FeatureNetwork.Vgg:
                Check(path, Vgg16Features.Parameters());
                break;
            case FeatureNetwork.AlexNet:
                Check(path, Models.Features.Lpips.AlexNetParameters());
                break;
            case FeatureNetwork.Lpips:
                Check(path, Models.Features.Lpips.ChannelParameters());
                break;
            case FeatureNetwork.Dino:
                TransformersFolder.CheckVit(path);
                break;
            case FeatureNetwork.Clip:
                CheckClip(path);
                break;
            default:
                DreamSim.Check(path);
                break;
        }
    }

    static void Check(string path, IReadOnlyList<KeyValuePair<string, long[]>> expected)
    {
        using var weights = WeightsFile.Open(path);
        FeatureParameters.Require(weights, expected);
    }

    static void CheckClip(string path)
    {
        var (sizes, tokens) = (TransformersFolder.CheckClip(path), ClipTokenizer.Load(path).VocabularySize);
        if (tokens > sizes.Vocabulary)
            throw new InvalidDataException($"{path}: the tokenizer has {tokens} tokens, the network knows {sizes.Vocabulary}.");
    }
}
