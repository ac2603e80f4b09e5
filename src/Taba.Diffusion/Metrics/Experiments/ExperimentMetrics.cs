using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Metrics.Experiments;

/// <summary>
/// The numbers of <c>metrics.json</c> with upstream's keys (upstream's run_*_sampling and run_*_invert_*) and their intervals, in a
/// stream over rows. What is measured of one tensor is remembered, because runs of a sweep share tensors. Not thread-safe.
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
    public ExperimentNumbers Compute(
        IMetricRows? noise, IMetricRows? latents, IMetricRows? samples, IMetricRows? reconstructions, CancellationToken cancellationToken)
    {
        var numbers = new ExperimentNumbers([], []);
        if (latents is not null)
        {
            var ofLatents = Measure(latents, cancellationToken);
            var ofNoise = noise is null ? null : Measure(noise, cancellationToken);
            if (ofNoise is not null)
            {
                numbers.Metrics["kl_div_noise_latent"] = KlDivergence.Between(ofNoise.Moments, ofLatents.Moments);
                Error(numbers, "reconstruction_error_noise", noise!, latents, cancellationToken);
            }

            numbers.Metrics["correlation"] = Pair(ofLatents.Correlation.Mean, ofLatents.Correlation.Std);
            if (ofLatents.Jackknife is { } known)
                numbers.Add("correlation.mean", known.OfCorrelation, known);
            numbers.Metrics["latent_stats"] = Pair(ofLatents.Moments.Mean, ofLatents.Moments.Std);
            numbers.Add("latent_stats.std", ofLatents.Std);
            if (ofNoise is not null)
            {
                numbers.Metrics["noise_stats"] = Pair(ofNoise.Moments.Mean, ofNoise.Moments.Std);

                // Not upstream's: the floor of `correlation` at the same N, without which it says nothing.
                numbers.Metrics["noise_correlation"] = Pair(ofNoise.Correlation.Mean, ofNoise.Correlation.Std);
                // An image of few patches has only its rows to tell a spread by.
                if ((ofNoise.OfNoise ?? ofNoise.Jackknife?.OfCorrelation) is { } floor)
                    numbers.Add("noise_correlation.mean", floor, null);
                if (ofNoise.Jackknife is not null && ofLatents.Jackknife is not null)
                    numbers.AddAboveNoise(ofLatents.Jackknife.Minus(ofNoise.Jackknife));
            }
        }

        if (samples is not null && reconstructions is not null)
            Error(numbers, "reconstruction_error_images", samples, reconstructions, cancellationToken);
        return numbers;
    }

    Statistics Measure(IMetricRows rows, CancellationToken cancellationToken)
    {
        if (_remembered.TryGetValue(rows.Identity, out var known))
            return known;
        if (rows.Rows < 1)
            return new(new MomentsAccumulator().Value, new(double.NaN, double.NaN), null, null, null);

        var moments = new MomentsAccumulator();
        var squares = new GroupedMeans(rows.Rows, 2);
        using var groups = rows.Rows >= RowGroups.FewestRows && CorrelationGroups.Fits(rows.Shape)
            ? new CorrelationGroups(rows.Shape, rows.Rows)
            : null;
        foreach (var values in rows.Chunks(cancellationToken))
        {
            moments.Add(values.Span);
            AddSquares(squares, values.Span, checked((int)rows.Shape.Elements));
            groups?.Add(values.Span);
        }

        var grouped = groups?.Compute();
        var correlation = groups is { IsWhole: true } ? grouped!.Summary : Correlation(rows, cancellationToken);
        return _remembered[rows.Identity] = new(
            moments.Value, correlation, grouped?.Of(correlation.Mean), grouped?.OfNoise(correlation.Mean),
            squares.Compute(m => Math.Sqrt(m[1] - m[0] * m[0])));
    }

    static CorrelationSummary Correlation(IMetricRows rows, CancellationToken cancellationToken)
    {
        using var correlation = new PatchCorrelation(rows.Shape);
        while (correlation.Pass < correlation.PassCount)
        {
            foreach (var values in rows.Chunks(cancellationToken))
                correlation.Add(values.Span);
            correlation.EndPass();
        }

        return correlation.Compute();
    }

    /// <summary>In float32: a spread needs no more.</summary>
    static void AddSquares(GroupedMeans squares, ReadOnlySpan<float> values, int length)
    {
        for (; !values.IsEmpty; values = values[length..])
            squares.Add(TensorPrimitives.Sum(values[..length]) / length, TensorPrimitives.SumOfSquares(values[..length]) / length);
    }

    static void Error(ExperimentNumbers numbers, string name, IMetricRows a, IMetricRows b, CancellationToken cancellationToken)
    {
        var error = new MeanAbsoluteError();
        var bootstrap = new PoissonBootstrap();
        var means = new GroupedMeans(Math.Max(1, a.Rows));
        var length = checked((int)a.Shape.Elements);
        var difference = new float[length];
        foreach (var (x, y) in a.Chunks(cancellationToken).Zip(b.Chunks(cancellationToken)))
        {
            error.Add(x.Span, y.Span);
            for (var at = 0; at < x.Length; at += length)
            {
                TensorPrimitives.Subtract(x.Span.Slice(at, length), y.Span.Slice(at, length), difference);
                var ofRow = (double)TensorPrimitives.SumOfMagnitudes<float>(difference) / length;
                bootstrap.Add(ofRow);
                means.Add(ofRow);
            }
        }
        numbers.Metrics[name] = error.Value;
        if (bootstrap.Count >= RowGroups.FewestRows)
            numbers.Add(name, bootstrap.Interval(), means.Mean());
    }

    static JsonObject Pair(double mean, double std) => new() { ["mean"] = mean, ["std"] = std };

    // Jackknife is of the correlation, OfNoise its interval if these rows are white noise, Std of the deviation of all elements.
    sealed record Statistics(
        Moments Moments, CorrelationSummary Correlation, Jackknife? Jackknife, Interval? OfNoise, Jackknife? Std);
}
