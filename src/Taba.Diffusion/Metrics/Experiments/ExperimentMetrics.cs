using System.Text.Json.Nodes;

namespace Taba.Diffusion.Metrics.Experiments;

/// <summary>
/// The numbers of <c>metrics.json</c> with upstream's keys (upstream's run_*_sampling and run_*_invert_*) and their intervals, in a
/// stream over rows. What is measured of one tensor is remembered, because runs of a sweep share tensors. Not thread-safe.
/// </summary>
public sealed class ExperimentMetrics
{
    readonly Dictionary<string, TensorStatistics> _remembered = [];

    /// <summary>
    /// The metrics of a run. Those whose tensors are not there are left out; those that are no number (a deviation of one sample) are NaN,
    /// which plain JSON cannot say.
    /// </summary>
    /// <param name="noise">x_T; null when the images came from elsewhere. Then white noise is drawn for the floor.</param>
    /// <param name="latents">Inverted latents.</param>
    /// <param name="samples">x_0.</param>
    /// <param name="reconstructions">Images sampled from the latents.</param>
    /// <param name="cancellationToken">Asked between chunks.</param>
    public ExperimentNumbers Compute(
        IMetricRows? noise, IMetricRows? latents, IMetricRows? samples, IMetricRows? reconstructions,
        CancellationToken cancellationToken) => Numbers(
            noise is null || latents is null ? null : Measure(noise, cancellationToken),
            latents is null ? null : Measure(latents, cancellationToken),
            noise is null && latents is { Rows: > 0 }
                ? Measure(NoiseFloor.White(latents.Shape, latents.Rows), cancellationToken)
                : null,
            Error(noise, latents, cancellationToken),
            Error(samples, reconstructions, cancellationToken));

    /// <summary>The numbers, of what was measured of each tensor and of each two; of white noise where the noise is not known.</summary>
    internal static ExperimentNumbers Numbers(
        TensorStatistics? ofNoise, TensorStatistics? ofLatents, TensorStatistics? ofWhite, ErrorSums? ofLatentsToNoise,
        ErrorSums? ofImages)
    {
        var numbers = new ExperimentNumbers([], []);
        var floor = ofNoise ?? ofWhite;
        if (ofLatents is not null)
        {
            if (ofNoise is not null)
                numbers.Metrics["kl_div_noise_latent"] = KlDivergence.Between(ofNoise.Moments, ofLatents.Moments);
            ofLatentsToNoise?.AddTo(numbers, "reconstruction_error_noise");

            numbers.Metrics["correlation"] = Pair(ofLatents.Correlation.Mean, ofLatents.Correlation.Std);
            if (ofLatents.Jackknife is { } known)
                numbers.Add("correlation.mean", known.OfCorrelation, known);
            numbers.Metrics["latent_stats"] = Pair(ofLatents.Moments.Mean, ofLatents.Moments.Std);
            numbers.Add("latent_stats.std", ofLatents.Std);
            if (ofNoise is not null)
                numbers.Metrics["noise_stats"] = Pair(ofNoise.Moments.Mean, ofNoise.Moments.Std);
            if (floor is not null)
            {
                // Not upstream's: the floor of `correlation` at the same N, without which it says nothing.
                numbers.Metrics["noise_correlation"] = Pair(floor.Correlation.Mean, floor.Correlation.Std);
                // An image of few patches has only its rows to tell a spread by.
                if ((floor.OfNoise ?? floor.Jackknife?.OfCorrelation) is { } interval)
                    numbers.Add("noise_correlation.mean", interval, null);
                if (floor.Jackknife is not null && ofLatents.Jackknife is not null)
                    numbers.AddAboveNoise(ofLatents.Jackknife.Minus(floor.Jackknife));
            }
        }
        ofImages?.AddTo(numbers, "reconstruction_error_images");
        return numbers;
    }

    TensorStatistics Measure(IMetricRows rows, CancellationToken cancellationToken)
    {
        if (_remembered.TryGetValue(rows.Identity, out var known))
            return known;
        if (rows.Rows < 1)
            return TensorStatistics.None;
        using var sums = TensorSums.Of(rows, cancellationToken);
        return _remembered[rows.Identity] = sums.Compute();
    }

    static ErrorSums? Error(IMetricRows? a, IMetricRows? b, CancellationToken cancellationToken)
    {
        if (a is null || b is null)
            return null;
        var count = Math.Min(a.Rows, b.Rows);
        var error = new ErrorSums(a.Shape, Math.Max(1, count));
        foreach (var rows in new[] { a, b }.Together(0, count, cancellationToken))
            error.Add(rows[0].Span, rows[1].Span);
        return error;
    }

    static JsonObject Pair(double mean, double std) => new() { ["mean"] = mean, ["std"] = std };
}
