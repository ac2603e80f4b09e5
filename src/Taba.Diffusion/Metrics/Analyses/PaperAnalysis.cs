using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>The numbers of metrics.json, in parts.</summary>
sealed class PaperAnalysis : RunAnalysis
{
    readonly IRunTensors _run;
    readonly Sums<TensorSums>? _noise;
    readonly Sums<TensorSums>? _latents;
    readonly Sums<TensorSums>? _white;
    readonly IMetricRows? _whiteNoise;
    readonly Sums<ErrorSums>? _latentsToNoise;
    readonly Sums<ErrorSums>? _images;

    public PaperAnalysis(IRunTensors run, long firstRow)
    {
        _run = run;
        _latents = OfTensor(TensorRole.Latents);
        if (_latents is not null)
            _noise = OfTensor(TensorRole.Noise);
        if (_latents is not null && run.Tensor(TensorRole.Noise) is null)
        {
            var latents = run.Tensor(TensorRole.Latents)!;
            _whiteNoise = NoiseFloor.White(latents.Shape, latents.Rows);
            _white = Keep(new TensorSums(latents.Shape, latents.Rows, firstRow));
        }
        if (_noise is not null)
            _latentsToNoise = OfTwo(TensorRole.Noise, TensorRole.Latents);
        if (run.Tensor(TensorRole.Images) is not null && run.Tensor(TensorRole.ReconstructedImages) is not null)
            _images = OfTwo(TensorRole.Images, TensorRole.ReconstructedImages);

        Sums<TensorSums>? OfTensor(TensorRole role) =>
            run.Tensor(role) is { Rows: > 0 } rows ? Keep(new TensorSums(rows.Shape, rows.Rows, firstRow)) : null;

        Sums<ErrorSums> OfTwo(TensorRole a, TensorRole b) =>
            Keep(new ErrorSums(run.ShapeOf(a, b), Math.Max(1, run.Tensor(a)!.Rows), firstRow));
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        if (_latents is not null)
        {
            foreach (var rows in _run.Together([TensorRole.Latents], first, count, cancellationToken))
                _latents.Value.Add(rows[0].Span);
        }
        if (_white is not null)
        {
            foreach (var rows in _whiteNoise!.Chunks(first, count, cancellationToken))
                _white.Value.Add(rows.Span);
        }
        if (_noise is not null)
        {
            foreach (var rows in _run.Together([TensorRole.Noise, TensorRole.Latents], first, count, cancellationToken))
            {
                _noise.Value.Add(rows[0].Span);
                _latentsToNoise!.Value.Add(rows[0].Span, rows[1].Span);
            }
        }
        if (_images is not null)
        {
            foreach (var rows in _run.Together(
                [TensorRole.Images, TensorRole.ReconstructedImages], first, count, cancellationToken))
                _images.Value.Add(rows[0].Span, rows[1].Span);
        }
    }

    public override ExperimentNumbers Compute() => ExperimentMetrics.Numbers(
        _noise?.Value.Compute(), _latents?.Value.Compute(), _white?.Value.Compute(), _latentsToNoise?.Value, _images?.Value);
}
