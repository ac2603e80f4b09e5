using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Differences;
using Taba.Diffusion.Metrics.Geometry;
using Taba.Diffusion.Metrics.Normality;
using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Client.Measuring;

/// <summary>Analyses that go over the rows of a run once (docs/design/analyses.md).</summary>
static class OfPairs
{
    static readonly Role[] s_triangle = [Role.Noise, Role.Samples, Role.Latents];
    static readonly Role[] s_images = [Role.Images, Role.ReconstructedImages];

    public static IReadOnlyList<Analysis> All { get; } =
    [
        new("geometry", "angles and distances of noise, sample and latent, and the most probable triangle", s_triangle, Geometry)
        {
            LeastRows = 2,
        },
        new("normality", "samples whose latents, and whose noise, Shapiro and Wilk's test takes for normal", [Role.Latents], Normality),
        new("reconstruction", "errors, PSNR and SSIM of reconstructed images", s_images, Reconstruction),
        new("divergence", "KL of noise and latents, whole and per pixel", [Role.Noise, Role.Latents], Divergence) { LeastRows = 2 },
        new(
            "plain-areas", "errors and deviations of latents inside and outside plain areas of the images",
            [Role.Images, Role.Noise, Role.Latents], PlainAreas),
        new("diversity", "variance of 3x3 patches, entropy and compressed length of images", [Role.Images], Diversity),
    ];

    static JsonObject Geometry(MeasuredRun run, CancellationToken cancellationToken)
    {
        var shape = run.Tensor(Role.Noise)!.Shape;
        var (angles, triangle) = (new AnglesAndDistances(shape), new MostProbableTriangle(shape));
        foreach (var rows in run.Together(s_triangle, cancellationToken))
        {
            angles.Add(rows[0].Span, rows[1].Span, rows[2].Span);
            triangle.Add(rows[0].Span, rows[1].Span, rows[2].Span);
        }
        var numbers = new JsonObject(angles.Value.Named()
            .Where(number => !number.Key.StartsWith("std_cossim", StringComparison.Ordinal))
            .Select(number => KeyValuePair.Create<string, JsonNode?>(number.Key, number.Value)));
        if (triangle.Compute() is { } found)
            numbers["triangle"] = new JsonObject { ["latent"] = found.Latent, ["sample"] = found.Sample, ["noise"] = found.Noise };
        return numbers;
    }

    static JsonObject Normality(MeasuredRun run, CancellationToken cancellationToken)
    {
        var numbers = new JsonObject();
        foreach (var role in new[] { Role.Noise, Role.Latents })
        {
            if (run.Tensor(role) is not { } rows)
                continue;
            var test = new NormalityTest(rows.Shape);
            foreach (var chunk in rows.Chunks(cancellationToken))
                test.Add(chunk.Span);
            numbers[run.NameOf(role)] = new JsonObject
            {
                ["accepted"] = test.Value.Accepted, ["rejected"] = test.Value.Rejected, ["accepted_share"] = test.Value.AcceptedShare,
            };
        }
        return numbers;
    }

    static JsonObject Reconstruction(MeasuredRun run, CancellationToken cancellationToken)
    {
        var shape = run.Tensor(Role.Images)!.Shape;
        var errors = new PairErrors(shape);
        var similarity = Math.Min(shape.Height, shape.Width) >= StructuralSimilarity.Window ? new StructuralSimilarity(shape) : null;
        foreach (var rows in run.Together(s_images, cancellationToken))
        {
            errors.Add(rows[0].Span, rows[1].Span);
            similarity?.Add(rows[0].Span, rows[1].Span);
        }
        var found = errors.Value;
        var numbers = new JsonObject
        {
            ["mae"] = found.Absolute, ["mse"] = found.Squared, ["l2"] = Pair(found.Distance), ["psnr"] = Pair(found.SignalToNoise),
        };
        if (similarity is not null)
            numbers["ssim"] = Pair(similarity.Value);
        return numbers;
    }

    static JsonObject Divergence(MeasuredRun run, CancellationToken cancellationToken)
    {
        var divergence = new GaussianDivergence(run.Tensor(Role.Noise)!.Shape);
        foreach (var rows in run.Together([Role.Noise, Role.Latents], cancellationToken))
            divergence.Add(rows[0].Span, rows[1].Span);
        var found = divergence.Compute();
        return new() { ["whole"] = found.Whole, ["per_pixel"] = found.PerPixel };
    }

    static JsonObject PlainAreas(MeasuredRun run, CancellationToken cancellationToken)
    {
        var (images, latents) = (run.Tensor(Role.Images)!, run.Tensor(Role.Latents)!);
        var areas = new PlainAreaSteps(latents.Shape, images.Shape);
        // Of latent models images have other rows than states: each tensor has chunks of its own, cut alike by the smaller.
        foreach (var (image, noise, latent) in run.InStep(Role.Images, Role.Noise, Role.Latents, cancellationToken))
            areas.Add(0, image, latent, noise);
        var found = areas.Compute()[0];
        return new()
        {
            ["plain_fraction"] = found.Fraction,
            ["plain"] = Area(found.Plain),
            ["other"] = Area(found.Other),
        };
    }

    static JsonObject Diversity(MeasuredRun run, CancellationToken cancellationToken)
    {
        var rows = run.Tensor(Role.Images)!;
        var variance = new PatchVariance(rows.Shape);
        var complexity = rows.Shape.Channels is 1 or 3 or 4 ? new PixelComplexity(rows.Shape) : null;
        var bits = rows.Shape.Channels == 3 ? new PngBits(rows.Shape) : null;
        foreach (var chunk in rows.Chunks(cancellationToken))
        {
            variance.Add(chunk.Span);
            complexity?.Add(chunk.Span);
            bits?.Add(chunk.Span);
        }
        var numbers = new JsonObject
        {
            ["patch_variance"] = new JsonObject
            {
                ["plain"] = variance.Value.Plain, ["other"] = variance.Value.Other, ["all"] = variance.Value.All,
            },
        };
        if (complexity is not null)
        {
            numbers["entropy"] = Pair(complexity.Entropy);
            numbers["compressed_bytes"] = Pair(complexity.CompressedLength);
        }
        if (bits is not null)
            numbers["png_bits_per_pixel"] = new JsonObject { ["plain"] = bits.Value.Plain, ["other"] = bits.Value.Other };
        return numbers;
    }

    static JsonObject Area(AreaErrors area) => new()
    {
        ["error"] = area.Error, ["latent_std"] = area.PredictionStd, ["noise_std"] = area.TruthStd,
    };

    static JsonObject Pair(MeanStd value) => new() { ["mean"] = value.Mean, ["std"] = value.Std };
}
