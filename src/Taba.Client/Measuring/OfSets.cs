using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Neighbours;
using Taba.Diffusion.Metrics.Similarity;

namespace Taba.Client.Measuring;

/// <summary>Analyses of all rows of a run together (docs/design/analyses-of-sets.md).</summary>
static class OfSets
{
    public static IReadOnlyList<Analysis> All { get; } =
    [
        new("partners", "how often the nearest noise of a sample is its own, and the other way round", [Role.Noise, Role.Samples], Partners)
        {
            LeastRows = NearestPartners.DefaultDivisions, IsCostly = true,
        },
        new("neighbours", "neighbours that a sample has in common in the noise and in the latents", [Role.Noise, Role.Latents], Neighbours)
        {
            LeastRows = NeighbourOverlap.DefaultNeighbours + 1, IsCostly = true,
        },
        new("similarity", "CKA, HSIC and SVCCA of noise and latents", [Role.Noise, Role.Latents], Similarity)
        {
            LeastRows = Svcca.DefaultDimensions + 1, IsCostly = true,
        },
    ];

    static JsonObject Partners(MeasuredRun run, CancellationToken cancellationToken)
    {
        var (noise, samples) = (run.Tensor(Role.Noise)!, run.Tensor(Role.Samples)!);
        var partners = new NearestPartners(noise.Rows);
        partners.Measure(noise, samples, 0, noise.Rows, cancellationToken);
        var found = partners.Compute();
        return new() { ["noise_of_sample"] = Pair(found.NoiseOfSample), ["sample_of_noise"] = Pair(found.SampleOfNoise) };
    }

    static JsonObject Neighbours(MeasuredRun run, CancellationToken cancellationToken)
    {
        var (noise, latents) = (run.Tensor(Role.Noise)!, run.Tensor(Role.Latents)!);
        var overlap = new NeighbourOverlap(noise.Rows);
        overlap.Measure(noise, latents, 0, noise.Rows, cancellationToken);
        return new() { [$"common_of_{NeighbourOverlap.DefaultNeighbours}"] = Pair(overlap.Compute()) };
    }

    static JsonObject Similarity(MeasuredRun run, CancellationToken cancellationToken)
    {
        var (noise, latents) = (run.Tensor(Role.Noise)!, run.Tensor(Role.Latents)!);
        var kernels = new KernelSimilarity(noise.Rows, SimilarityKernel.Linear);
        kernels.Measure(noise, latents, 0, noise.Rows, cancellationToken);
        var found = kernels.Compute();
        return new()
        {
            ["cka"] = found.CkaBiased,
            ["cka_unbiased"] = found.CkaUnbiased,
            ["hsic"] = found.HsicBiased,
            ["hsic_unbiased"] = found.HsicUnbiased,
            ["svcca"] = Svcca.Compute(noise, latents, cancellation: cancellationToken),
        };
    }

    static JsonObject Pair(MeanStd value) => new() { ["mean"] = value.Mean, ["std"] = value.Std };
}
