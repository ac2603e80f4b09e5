using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Models.Features;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>Analyses of pictures by networks whose weights a user names (docs/design/analyses-of-sets.md, "Networks").</summary>
public static class PictureAnalyses
{
    internal static readonly TensorRole[] Pair = [TensorRole.Images, TensorRole.ReconstructedImages];

    static readonly TensorRole[] s_images = [TensorRole.Images];

    /// <summary>What each of them needs.</summary>
    public static IReadOnlyList<PictureAnalysis> List { get; } =
    [
        new("fid", [FeatureNetwork.Inception]) { IsOfSets = true, LeastReference = 2, LeastRows = 2, TakesStatistics = true },
        new("kid", [FeatureNetwork.Inception])
        {
            IsOfSets = true, LeastReference = KernelDistance.DefaultSubsetSize, LeastRows = KernelDistance.DefaultSubsetSize,
        },
        new("inception-score", [FeatureNetwork.Inception]) { IsOfSets = true, LeastRows = InceptionScore.DefaultSplits },
        new("precision-recall", [FeatureNetwork.Vgg])
        {
            IsOfSets = true, LeastReference = ManifoldRadii.DefaultNeighbours + 1, LeastRows = ManifoldRadii.DefaultNeighbours + 1,
        },
        new("lpips", [FeatureNetwork.AlexNet, FeatureNetwork.Lpips]) { IsOfPairs = true, LeastSide = Lpips.LeastSide },
        new("dino", [FeatureNetwork.Dino]) { IsOfPairs = true },
        new("clip-images", [FeatureNetwork.Clip]) { IsOfPairs = true },
        new("clip-score", [FeatureNetwork.Clip]) { IsOfPrompts = true },
        new("dreamsim", [FeatureNetwork.DreamSim]) { IsOfPairs = true },
    ];

    /// <summary>Their names, for help and refusals.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. List.Select(analysis => analysis.Name)];

    /// <summary>All of them.</summary>
    /// <param name="settings">Weights, reference and prompts: <see cref="Lacking"/> says which of them one needs.</param>
    public static IReadOnlyList<Analysis> With(PictureSettings settings) =>
    [
        new("fid", "Fréchet Inception distance of the images to the reference", s_images, (run, _) => new FidAnalysis(run, settings))
        {
            LeastRows = LeastRows("fid"), InParts = false, Lacks = LacksPictures,
        },
        new("kid", "kernel Inception distance of the images to the reference", s_images, (run, _) => new KidAnalysis(run, settings))
        {
            LeastRows = LeastRows("kid"), InParts = false, Lacks = LacksPictures,
        },
        new("inception-score", "Inception Score of the images", s_images, (run, _) => new InceptionScoreAnalysis(run, settings))
        {
            LeastRows = LeastRows("inception-score"), InParts = false, Lacks = LacksPictures,
        },
        new(
            "precision-recall", "shares of the images within the reference, and of the reference within the images", s_images,
            (run, _) => new PrecisionRecallAnalysis(run, settings))
        {
            LeastRows = LeastRows("precision-recall"), InParts = false, Lacks = LacksPictures,
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
        var needs = Needs(name);
        var lacking = needs.Networks.Where(network => !settings.Weights.Has(network)).Select(network => network.Word()).ToList();
        if (lacking.Count > 0)
            return $"the weights of {string.Join(" and ", lacking)} are not named (--features {lacking[0]}=PATH)";
        if (needs.LeastReference == 0)
            return null;
        if (settings.Statistics is not null)
            return needs.TakesStatistics ? null : "of the reference there are only statistics, not pictures";
        if (settings.Reference is null)
            return "there is nothing to compare with (--reference DIR, or a file of a tensor or of statistics)";
        return settings.Reference.Count < needs.LeastReference
            ? $"it needs {needs.LeastReference} pictures, and the reference has {settings.Reference.Count}"
            : null;
    }

    static PictureAnalysis Needs(string name) => List.Single(analysis => analysis.Name == name);

    static int LeastRows(string name) => Needs(name).LeastRows;

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
