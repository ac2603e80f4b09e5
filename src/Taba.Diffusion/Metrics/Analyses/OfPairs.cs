using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Differences;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Geometry;
using Taba.Diffusion.Metrics.Normality;
using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>Angles and distances of noise, sample and latent, and the most probable triangle.</summary>
sealed class GeometryAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Samples, TensorRole.Latents];

    readonly IRunTensors _run;
    readonly Sums<AnglesAndDistances> _angles;
    readonly Sums<MostProbableTriangle> _triangle;

    public GeometryAnalysis(IRunTensors run)
    {
        var shape = run.ShapeOf(Needs);
        (_run, _angles, _triangle) = (run, Keep(new AnglesAndDistances(shape)), Keep(new MostProbableTriangle(shape)));
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var rows in _run.Together(Needs, first, count, cancellationToken))
        {
            _angles.Value.Add(rows[0].Span, rows[1].Span, rows[2].Span);
            _triangle.Value.Add(rows[0].Span, rows[1].Span, rows[2].Span);
        }
    }

    public override ExperimentNumbers Compute()
    {
        var numbers = new JsonObject(_angles.Value.Value.Named()
            .Where(number => !number.Key.StartsWith("std_cossim", StringComparison.Ordinal))
            .Select(number => KeyValuePair.Create<string, JsonNode?>(number.Key, number.Value)));
        if (_triangle.Value.Compute() is { } found)
            numbers["triangle"] = new JsonObject { ["latent"] = found.Latent, ["sample"] = found.Sample, ["noise"] = found.Noise };
        return new(numbers, []);
    }
}

/// <summary>Shapiro and Wilk's test of latents, and of noise where it is known.</summary>
sealed class NormalityAnalysis : RunAnalysis
{
    readonly List<(string Name, IMetricRows Rows, Sums<NormalityTest> Sums)> _tensors;

    public NormalityAnalysis(IRunTensors run, long firstRow) => _tensors =
    [
        .. new[] { TensorRole.Noise, TensorRole.Latents }.Where(role => run.Tensor(role) is not null)
            .Select(role => (run.NameOf(role), run.Tensor(role)!, Keep(new NormalityTest(run.Tensor(role)!.Shape, firstRow: firstRow)))),
    ];

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var (_, rows, sums) in _tensors)
        {
            foreach (var chunk in rows.Chunks(first, count, cancellationToken))
                sums.Value.Add(chunk.Span);
        }
    }

    public override ExperimentNumbers Compute() => Json.Numbers(_tensors.Select(tensor =>
    {
        var found = tensor.Sums.Value.Value;
        return KeyValuePair.Create(tensor.Name, (JsonNode?)new JsonObject
        {
            ["accepted"] = found.Accepted, ["rejected"] = found.Rejected, ["accepted_share"] = found.AcceptedShare,
        });
    }));
}

/// <summary>Errors, PSNR and SSIM of reconstructed images.</summary>
sealed class ReconstructionAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Images, TensorRole.ReconstructedImages];

    readonly IRunTensors _run;
    readonly Sums<PairErrors> _errors;
    readonly Sums<StructuralSimilarity>? _similarity;

    public ReconstructionAnalysis(IRunTensors run)
    {
        var shape = run.ShapeOf(Needs);
        (_run, _errors) = (run, Keep(new PairErrors(shape)));
        if (Math.Min(shape.Height, shape.Width) >= StructuralSimilarity.Window)
            _similarity = Keep(new StructuralSimilarity(shape));
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var rows in _run.Together(Needs, first, count, cancellationToken))
        {
            _errors.Value.Add(rows[0].Span, rows[1].Span);
            _similarity?.Value.Add(rows[0].Span, rows[1].Span);
        }
    }

    public override ExperimentNumbers Compute()
    {
        var found = _errors.Value.Value;
        var numbers = new JsonObject
        {
            ["mae"] = found.Absolute, ["mse"] = found.Squared, ["l2"] = Json.Of(found.Distance), ["psnr"] = Json.Of(found.SignalToNoise),
        };
        if (_similarity is not null)
            numbers["ssim"] = Json.Of(_similarity.Value.Value);
        return new(numbers, []);
    }
}

/// <summary>KL divergence of noise and latents.</summary>
sealed class DivergenceAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Latents];

    readonly IRunTensors _run;
    readonly Sums<GaussianDivergence> _divergence;

    public DivergenceAnalysis(IRunTensors run) => (_run, _divergence) = (run, Keep(new GaussianDivergence(run.ShapeOf(Needs))));

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var rows in _run.Together(Needs, first, count, cancellationToken))
            _divergence.Value.Add(rows[0].Span, rows[1].Span);
    }

    public override ExperimentNumbers Compute()
    {
        var found = _divergence.Value.Compute();
        return new(new() { ["whole"] = found.Whole, ["per_pixel"] = found.PerPixel }, []);
    }
}

/// <summary>Errors and deviations of latents inside and outside plain areas of the images.</summary>
sealed class PlainAreasAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Images, TensorRole.Noise, TensorRole.Latents];

    readonly IRunTensors _run;
    readonly Sums<PlainAreaSteps> _areas;

    public PlainAreasAnalysis(IRunTensors run)
    {
        // Of latent models images have other rows than states.
        run.RowsOf(Needs);
        _run = run;
        _areas = Keep(new PlainAreaSteps(run.ShapeOf(TensorRole.Noise, TensorRole.Latents), run.Tensor(TensorRole.Images)!.Shape));
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var rows in _run.Together(Needs, first, count, cancellationToken))
            _areas.Value.Add(0, rows[0].Span, rows[2].Span, rows[1].Span);
    }

    public override ExperimentNumbers Compute()
    {
        var found = _areas.Value.Compute()[0];
        return new(new() { ["plain_fraction"] = found.Fraction, ["plain"] = Area(found.Plain), ["other"] = Area(found.Other) }, []);
    }

    static JsonObject Area(AreaErrors area) => new()
    {
        ["error"] = area.Error, ["latent_std"] = area.PredictionStd, ["noise_std"] = area.TruthStd,
    };
}

/// <summary>Variance of patches, entropy and compressed length of images.</summary>
sealed class DiversityAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Images];

    readonly IRunTensors _run;
    readonly Sums<PatchVariance> _variance;
    readonly Sums<PixelComplexity>? _complexity;
    readonly Sums<PngBits>? _bits;

    public DiversityAnalysis(IRunTensors run)
    {
        var shape = run.ShapeOf(Needs);
        (_run, _variance) = (run, Keep(new PatchVariance(shape)));
        if (shape.Channels is 1 or 3 or 4)
            _complexity = Keep(new PixelComplexity(shape));
        if (shape.Channels == 3)
            _bits = Keep(new PngBits(shape));
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var rows in _run.Together(Needs, first, count, cancellationToken))
        {
            _variance.Value.Add(rows[0].Span);
            _complexity?.Value.Add(rows[0].Span);
            _bits?.Value.Add(rows[0].Span);
        }
    }

    public override ExperimentNumbers Compute()
    {
        var variance = _variance.Value.Value;
        var numbers = new JsonObject
        {
            ["patch_variance"] = new JsonObject { ["plain"] = variance.Plain, ["other"] = variance.Other, ["all"] = variance.All },
        };
        if (_complexity is { Value: var complexity })
        {
            numbers["entropy"] = Json.Of(complexity.Entropy);
            numbers["compressed_bytes"] = Json.Of(complexity.CompressedLength);
        }
        if (_bits is { Value.Value: var bits })
            numbers["png_bits_per_pixel"] = new JsonObject { ["plain"] = bits.Plain, ["other"] = bits.Other };
        return new(numbers, []);
    }
}
