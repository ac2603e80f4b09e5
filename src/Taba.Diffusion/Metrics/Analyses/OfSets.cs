using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Neighbours;
using Taba.Diffusion.Metrics.Similarity;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>How often the nearest noise of a sample is its own, and the other way round.</summary>
sealed class PartnersAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Samples];

    readonly IRunTensors _run;
    readonly Sums<NearestPartners> _partners;

    public PartnersAnalysis(IRunTensors run) => (_run, _partners) = (run, Keep(new NearestPartners(run.RowsOf(Needs))));

    public override void Measure(long first, long count, CancellationToken cancellationToken) =>
        _partners.Value.Measure(_run.Tensor(Needs[0])!, _run.Tensor(Needs[1])!, first, count, cancellationToken);

    public override ExperimentNumbers Compute()
    {
        var found = _partners.Value.Compute();
        return new(new() { ["noise_of_sample"] = Json.Of(found.NoiseOfSample), ["sample_of_noise"] = Json.Of(found.SampleOfNoise) }, []);
    }
}

/// <summary>Neighbours that a sample has in common in the noise and in the latents.</summary>
sealed class NeighboursAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Latents];

    readonly IRunTensors _run;
    readonly Sums<NeighbourOverlap> _overlap;

    public NeighboursAnalysis(IRunTensors run) => (_run, _overlap) = (run, Keep(new NeighbourOverlap(run.RowsOf(Needs))));

    public override void Measure(long first, long count, CancellationToken cancellationToken) =>
        _overlap.Value.Measure(_run.Tensor(Needs[0])!, _run.Tensor(Needs[1])!, first, count, cancellationToken);

    public override ExperimentNumbers Compute() =>
        new(new() { [$"common_of_{NeighbourOverlap.DefaultNeighbours}"] = Json.Of(_overlap.Value.Compute()) }, []);
}

/// <summary>CKA and HSIC of noise and latents.</summary>
sealed class SimilarityAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Latents];

    readonly IRunTensors _run;
    readonly Sums<KernelSimilarity> _kernels;

    public SimilarityAnalysis(IRunTensors run) =>
        (_run, _kernels) = (run, Keep(new KernelSimilarity(run.RowsOf(Needs), SimilarityKernel.Linear)));

    public override void Measure(long first, long count, CancellationToken cancellationToken) =>
        _kernels.Value.Measure(_run.Tensor(Needs[0])!, _run.Tensor(Needs[1])!, first, count, cancellationToken);

    public override ExperimentNumbers Compute()
    {
        var found = _kernels.Value.Compute();
        return new(
            new()
            {
                ["cka"] = found.CkaBiased,
                ["cka_unbiased"] = found.CkaUnbiased,
                ["hsic"] = found.HsicBiased,
                ["hsic_unbiased"] = found.HsicUnbiased,
            },
            []);
    }
}

/// <summary>SVCCA of noise and latents: a decomposition of all rows, which cannot be put together from parts.</summary>
sealed class SvccaAnalysis(IRunTensors run) : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Latents];

    double _found = double.NaN;

    public override void Measure(long first, long count, CancellationToken cancellationToken) =>
        _found = count == run.RowsOf(Needs)
            ? Svcca.Compute(run.Tensor(Needs[0])!, run.Tensor(Needs[1])!, cancellation: cancellationToken)
            : throw new NotSupportedException("SVCCA takes all rows at once");

    public override ExperimentNumbers Compute() => new(new() { ["svcca"] = _found }, []);
}
