using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Models.Features;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>An analysis of all pictures of a run together: their features are made in one go, and not in parts.</summary>
abstract class SetAnalysis(IRunTensors run) : RunAnalysis
{
    ExperimentNumbers? _found;

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        var images = run.Tensor(TensorRole.Images)!;
        if (first != 0 || count != images.Rows)
            throw new NotSupportedException("Sets of pictures are compared whole");
        _found = Compare(new TensorPictures(images.Identity, images, images.Shape, rounded: false), cancellationToken);
    }

    public override ExperimentNumbers Compute() => _found ?? new([], []);

    protected abstract ExperimentNumbers Compare(IPictures images, CancellationToken cancellation);
}

/// <summary>Fréchet Inception distance to the reference.</summary>
sealed class FidAnalysis(IRunTensors run, PictureSettings settings) : SetAnalysis(run)
{
    protected override ExperimentNumbers Compare(IPictures images, CancellationToken cancellation)
    {
        var generated = PictureSettings.MomentsOf(settings.Features(FeatureNetwork.Inception, images, cancellation));
        if (settings.Statistics is { } known)
        {
            var distance = FrechetDistance.Between(known.Mean, known.Covariance, generated.Mean, generated.Covariance());
            return new(new() { ["value"] = distance }, []);
        }
        var reference = PictureSettings.MomentsOf(settings.Features(FeatureNetwork.Inception, settings.Reference!, cancellation));
        return new(new() { ["value"] = FrechetDistance.Between(reference, generated), ["reference_n"] = reference.Count }, []);
    }
}

/// <summary>Kernel Inception distance to the reference.</summary>
sealed class KidAnalysis(IRunTensors run, PictureSettings settings) : SetAnalysis(run)
{
    protected override ExperimentNumbers Compare(IPictures images, CancellationToken cancellation)
    {
        var reference = settings.Features(FeatureNetwork.Inception, settings.Reference!, cancellation);
        var generated = settings.Features(FeatureNetwork.Inception, images, cancellation);
        var distance = new KernelDistance();
        distance.Measure(Columns(reference), Columns(generated), 0, KernelDistance.DefaultSubsets, cancellation);
        var numbers = Analyses.Json.Of(distance.Compute());
        numbers["reference_n"] = reference.Rows;
        return new(numbers, []);

        static FeatureColumns Columns(IRowAccess of) => new(of, 0, InceptionFeatures.Width);
    }
}

/// <summary>The Inception Score of the run's pictures.</summary>
sealed class InceptionScoreAnalysis(IRunTensors run, PictureSettings settings) : SetAnalysis(run)
{
    protected override ExperimentNumbers Compare(IPictures images, CancellationToken cancellation)
    {
        var generated = settings.Features(FeatureNetwork.Inception, images, cancellation);
        var score = new InceptionScore((int)generated.Rows, InceptionFeatures.Classes);
        foreach (var logits in new FeatureColumns(generated, InceptionFeatures.Width, InceptionFeatures.Classes).Chunks())
            score.Add(logits.Span);
        return new(Analyses.Json.Of(score.Compute()), []);
    }
}

/// <summary>Precision and recall, each named by what it is of.</summary>
sealed class PrecisionRecallAnalysis(IRunTensors run, PictureSettings settings) : SetAnalysis(run)
{
    protected override ExperimentNumbers Compare(IPictures images, CancellationToken cancellation)
    {
        var reference = settings.Features(FeatureNetwork.Vgg, settings.Reference!, cancellation);
        var generated = settings.Features(FeatureNetwork.Vgg, images, cancellation);
        var (ofReference, ofGenerated) = (new ManifoldRadii(), new ManifoldRadii());
        ofReference.Measure(reference, reference.Rows, cancellation);
        ofGenerated.Measure(generated, generated.Rows, cancellation);
        var shares = new PrecisionRecall();
        shares.AddGenerated(generated, 0, generated.Rows, reference, ofReference, cancellation);
        shares.AddReference(reference, 0, reference.Rows, generated, ofGenerated, cancellation);
        var found = shares.Compute();
        return new(
            new()
            {
                ["precision"] = found.Precision,
                ["recall"] = found.Recall,
                ["f_score"] = found.FScore,
                ["reference_n"] = reference.Rows,
            },
            []);
    }
}
