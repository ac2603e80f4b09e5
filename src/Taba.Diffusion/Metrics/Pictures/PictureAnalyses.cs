using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Models.Features;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>Analyses of pictures by networks whose weights a user names (docs/design/analyses-of-sets.md, "Networks").</summary>
public static class PictureAnalyses
{
    internal static readonly TensorRole[] Pair = [TensorRole.Images, TensorRole.ReconstructedImages];

    static readonly TensorRole[] s_images = [TensorRole.Images];

    static readonly (string Name, FeatureNetwork[] Networks, bool Reference)[] s_needs =
    [
        ("fid", [FeatureNetwork.Inception], true),
        ("kid", [FeatureNetwork.Inception], true),
        ("inception-score", [FeatureNetwork.Inception], false),
        ("precision-recall", [FeatureNetwork.Vgg], true),
        ("lpips", [FeatureNetwork.AlexNet, FeatureNetwork.Lpips], false),
        ("dino", [FeatureNetwork.Dino], false),
        ("clip-images", [FeatureNetwork.Clip], false),
        ("clip-score", [FeatureNetwork.Clip], false),
        ("dreamsim", [FeatureNetwork.DreamSim], false),
    ];

    /// <summary>Their names, for help and refusals.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_needs.Select(needs => needs.Name)];

    /// <summary>All of them.</summary>
    /// <param name="settings">Weights, reference and prompts: <see cref="Lacking"/> says which of them one needs.</param>
    public static IReadOnlyList<Analysis> With(PictureSettings settings) =>
    [
        new("fid", "Fréchet Inception distance of the images to the reference", s_images, (run, _) => new FidAnalysis(run, settings))
        {
            LeastRows = 2, InParts = false, Lacks = LacksPictures,
        },
        new("kid", "kernel Inception distance of the images to the reference", s_images, (run, _) => new KidAnalysis(run, settings))
        {
            LeastRows = KernelDistance.DefaultSubsetSize, InParts = false, Lacks = LacksPictures,
        },
        new("inception-score", "Inception Score of the images", s_images, (run, _) => new InceptionScoreAnalysis(run, settings))
        {
            LeastRows = InceptionScore.DefaultSplits, InParts = false, Lacks = LacksPictures,
        },
        new(
            "precision-recall", "shares of the images within the reference, and of the reference within the images", s_images,
            (run, _) => new PrecisionRecallAnalysis(run, settings))
        {
            LeastRows = ManifoldRadii.DefaultNeighbours + 1, InParts = false, Lacks = LacksPictures,
        },
        new("lpips", "LPIPS of images and reconstructions", Pair, (run, _) => new LpipsAnalysis(run, settings))
        {
            Lacks = run => LacksPictures(run) ?? LacksSize(run),
        },
        OfCosines(
            settings, "dino", "cosine of DINO's features of images and reconstructions", FeatureNetwork.Dino, cosines => cosines.Cosine),
        OfCosines(
            settings, "clip-images", "cosine of CLIP's features of images and reconstructions", FeatureNetwork.Clip,
            cosines => cosines.Cosine),
        new("clip-score", "CLIPScore of the images and their prompts", s_images, (run, _) => new ClipScoreAnalysis(run, settings))
        {
            Lacks = run => LacksPictures(run) ?? LacksPrompts(run, settings.Prompts),
        },
        OfCosines(settings, "dreamsim", "DreamSim of images and reconstructions", FeatureNetwork.DreamSim, cosines => cosines.Distance),
    ];

    /// <summary>What a user must still name for an analysis: a sentence's end, or null.</summary>
    public static string? Lacking(string name, PictureSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var (_, networks, reference) = s_needs.Single(needs => needs.Name == name);
        var lacking = networks.Where(network => !settings.Weights.Has(network)).Select(network => network.ToString().ToLowerInvariant())
            .ToList();
        if (lacking.Count > 0)
            return $"the weights of {string.Join(" and ", lacking)} are not named (--features {lacking[0]}=PATH)";
        if (!reference)
            return null;
        if (settings.Statistics is not null)
            return name == "fid" ? null : "of the reference there are only statistics, not pictures";
        if (settings.Reference is null)
            return "there is nothing to compare with (--reference DIR, or a file of a tensor or of statistics)";
        var least = name switch
        {
            "kid" => KernelDistance.DefaultSubsetSize,
            "precision-recall" => ManifoldRadii.DefaultNeighbours + 1,
            _ => 2,
        };
        return settings.Reference.Count < least ? $"it needs {least} pictures, and the reference has {settings.Reference.Count}" : null;
    }

    static Analysis OfCosines(
        PictureSettings settings, string name, string what, FeatureNetwork network, Func<FeatureCosines, MeanStd> number) =>
        new(name, what, Pair, (run, _) => new CosineAnalysis(run, settings, network, number)) { Lacks = LacksPictures };

    static string? LacksPictures(IRunTensors run) => run.Tensor(TensorRole.Images) is { Shape.Channels: not (1 or 3) } tensor
        ? $"{run.NameOf(TensorRole.Images)} has rows of {tensor.Shape}, which are no pictures"
        : null;

    static string? LacksSize(IRunTensors run) => run.Tensor(TensorRole.Images)!.Shape is var shape
        && Math.Min(shape.Height, shape.Width) < Lpips.LeastSide
        ? $"it needs pictures of {Lpips.LeastSide} pixels or more, and these are {shape}"
        : null;

    static string? LacksPrompts(IRunTensors run, IReadOnlyList<string>? named) => (named ?? run.Prompts) is not { } prompts
        ? "the folder has no prompts (--prompts FILE)"
        : prompts.Count < run.Tensor(TensorRole.Images)!.Rows
            ? $"there are {prompts.Count} prompts for {run.Tensor(TensorRole.Images)!.Rows} samples"
            : null;
}
