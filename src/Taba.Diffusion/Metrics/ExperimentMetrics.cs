using System.Text.Json.Nodes;

namespace Taba.Diffusion.Metrics;

/// <summary>
/// The numbers of <c>metrics.json</c> with upstream's keys (upstream's run_*_sampling and run_*_invert_*), in a stream over rows. What
/// is measured of one tensor is remembered, because runs of a sweep share tensors. Not thread-safe.
/// </summary>
public sealed class ExperimentMetrics
{
    readonly Dictionary<string, Statistics> _remembered = [];

    /// <summary>
    /// The metrics of a run. Those whose tensors are not there are left out; those that are no number (a deviation of one sample) are NaN,
    /// which plain JSON cannot say.
    /// </summary>
    /// <param name="noise">x_T; null when the images came from elsewhere.</param>
    /// <param name="latents">Inverted latents.</param>
    /// <param name="samples">x_0.</param>
    /// <param name="reconstructions">Images sampled from the latents.</param>
    /// <param name="cancellationToken">Asked between chunks.</param>
    public JsonObject Compute(
        IMetricRows? noise, IMetricRows? latents, IMetricRows? samples, IMetricRows? reconstructions, CancellationToken cancellationToken)
    {
        var metrics = new JsonObject();
        if (latents is not null)
        {
            var ofLatents = Measure(latents, cancellationToken);
            var ofNoise = noise is null ? null : Measure(noise, cancellationToken);
            if (ofNoise is not null)
            {
                metrics["kl_div_noise_latent"] = KlDivergence.Between(ofNoise.Moments, ofLatents.Moments);
                metrics["reconstruction_error_noise"] = Error(noise!, latents, cancellationToken);
            }

            metrics["correlation"] = Pair(ofLatents.Correlation.Mean, ofLatents.Correlation.Std);
            metrics["latent_stats"] = Pair(ofLatents.Moments.Mean, ofLatents.Moments.Std);
            if (ofNoise is not null)
            {
                metrics["noise_stats"] = Pair(ofNoise.Moments.Mean, ofNoise.Moments.Std);

                // Not upstream's: the floor of `correlation` at the same N, without which it says nothing.
                metrics["noise_correlation"] = Pair(ofNoise.Correlation.Mean, ofNoise.Correlation.Std);
            }
        }

        if (samples is not null && reconstructions is not null)
            metrics["reconstruction_error_images"] = Error(samples, reconstructions, cancellationToken);
        return metrics;
    }

    Statistics Measure(IMetricRows rows, CancellationToken cancellationToken)
    {
        if (_remembered.TryGetValue(rows.Identity, out var known))
            return known;

        var moments = new MomentsAccumulator();
        using var correlation = new PatchCorrelation(rows.Shape);
        while (correlation.Pass < correlation.PassCount)
        {
            var first = correlation.Pass == 0;
            foreach (var values in rows.Chunks(cancellationToken))
            {
                if (first)
                    moments.Add(values.Span);
                correlation.Add(values.Span);
            }

            if (moments.Value.Count == 0)
                return new(moments.Value, new(double.NaN, double.NaN));
            correlation.EndPass();
        }

        return _remembered[rows.Identity] = new(moments.Value, correlation.Compute());
    }

    static double Error(IMetricRows a, IMetricRows b, CancellationToken cancellationToken)
    {
        var error = new MeanAbsoluteError();
        foreach (var (x, y) in a.Chunks(cancellationToken).Zip(b.Chunks(cancellationToken)))
            error.Add(x.Span, y.Span);
        return error.Value;
    }

    static JsonObject Pair(double mean, double std) => new() { ["mean"] = mean, ["std"] = std };

    sealed record Statistics(Moments Moments, CorrelationSummary Correlation);
}
