using Taba.Diffusion.Metrics.Neighbours;
using Taba.Diffusion.Metrics.Similarity;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>Every analysis of the tensors of a run (docs/design/analyses.md, docs/design/analyses-of-sets.md).</summary>
public static class AllAnalyses
{
    /// <summary>The name of that which metrics.json holds in upstream's layout.</summary>
    public const string Paper = "paper";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Analysis> List { get; } =
    [
        new(
            Paper, "upstream's metrics.json: patch correlation with its floor, moments, errors", [TensorRole.Latents],
            (run, first) => new PaperAnalysis(run, first)),
        new(
            "correlation", "patch correlation of every tensor: the 20 strongest of each 8x8 patch", [],
            (run, _) => new CorrelationAnalysis(run)),
        new(
            "geometry", "angles and distances of noise, sample and latent, and the most probable triangle", GeometryAnalysis.Needs,
            (run, _) => new GeometryAnalysis(run))
        {
            LeastRows = 2,
        },
        new(
            "normality", "samples whose latents, and whose noise, Shapiro and Wilk's test takes for normal", [TensorRole.Latents],
            (run, first) => new NormalityAnalysis(run, first)),
        new(
            "reconstruction", "errors, PSNR and SSIM of reconstructed images", ReconstructionAnalysis.Needs,
            (run, _) => new ReconstructionAnalysis(run)),
        new(
            "divergence", "KL of noise and latents, whole and per pixel", DivergenceAnalysis.Needs, (run, _) => new DivergenceAnalysis(run))
        {
            LeastRows = 2,
        },
        new(
            "plain-areas", "errors and deviations of latents inside and outside plain areas of the images", PlainAreasAnalysis.Needs,
            (run, _) => new PlainAreasAnalysis(run)),
        new(
            "diversity", "variance of 3x3 patches, entropy and compressed length of images", DiversityAnalysis.Needs,
            (run, _) => new DiversityAnalysis(run)),
        new(
            "partners", "how often the nearest noise of a sample is its own, and the other way round", PartnersAnalysis.Needs,
            (run, _) => new PartnersAnalysis(run))
        {
            LeastRows = NearestPartners.DefaultDivisions, IsCostly = true,
        },
        new(
            "neighbours", "neighbours that a sample has in common in the noise and in the latents", NeighboursAnalysis.Needs,
            (run, _) => new NeighboursAnalysis(run))
        {
            LeastRows = NeighbourOverlap.DefaultNeighbours + 1, IsCostly = true,
        },
        new(
            "similarity", "CKA and HSIC of noise and latents", SimilarityAnalysis.Needs, (run, _) => new SimilarityAnalysis(run))
        {
            LeastRows = 4, IsCostly = true,
        },
        new("svcca", "SVCCA of noise and latents", SvccaAnalysis.Needs, (run, _) => new SvccaAnalysis(run))
        {
            LeastRows = Svcca.DefaultDimensions + 1, IsCostly = true, InParts = false,
        },
        new("moments", "mean and deviation of every tensor", [], (run, _) => new MomentsAnalysis(run)),
    ];

    /// <summary>Those that need the tensors of each step, which only folders of runs have: no stage of a sweep reads them.</summary>
    public static IReadOnlyList<Analysis> OfSteps { get; } =
    [
        new(
            "plain-area-steps", "errors of each step of inversion inside and outside plain areas, of runs that kept their steps",
            PlainAreaStepsAnalysis.Needs, (run, _) => new PlainAreaStepsAnalysis(run))
        {
            IsCostly = true, Lacks = PlainAreaStepsAnalysis.Lacks,
        },
        new(
            "trajectories", "distances of each step's states to points between noise and latent, of runs that kept their steps",
            TrajectoriesAnalysis.Needs, (run, _) => new TrajectoriesAnalysis(run))
        {
            IsCostly = true, Lacks = TrajectoriesAnalysis.Lacks,
        },
    ];

    /// <summary>An analysis by its name; null when there is none.</summary>
    public static Analysis? Find(string name) => List.Concat(OfSteps).FirstOrDefault(analysis => analysis.Name == name);
}
