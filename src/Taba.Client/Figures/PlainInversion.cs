using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Client.Figures;

/// <summary>What the paper tells of plain inversion and metrics.json does not have.</summary>
static class PlainInversion
{
    /// <summary>Of all samples: patch correlation of samples, errors and deviations of latents in plain areas and elsewhere.</summary>
    /// <returns>By the names of published.json; without those whose tensors are missing.</returns>
    public static Dictionary<string, double> Measure(FigureRun run, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, double>();
        using var samples = FigureTensor.Open(run, "samples");
        using var noise = FigureTensor.Open(run, "noise");
        using var latents = FigureTensor.Open(run, "latents");
        using var images = FigureTensor.Open(run, run.Images);
        if (samples is { Steps.IsEmpty: true })
            found["sample_correlation"] = Correlation(samples, cancellationToken);
        if (noise is null || latents is null || images is null || noise.Shape != latents.Shape
            || noise.Rows != latents.Rows || noise.Rows != images.Rows)
            return found;
        var areas = new PlainAreaSteps(latents.Shape, images.Shape);
        foreach (var (row, count) in Parts(latents, images))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (pictures, prediction, truth) = (images.Read(row, count), latents.Read(row, count), noise.Read(row, count));
            var (length, imageLength) = (prediction.Length / count, pictures.Length / count);
            for (var i = 0; i < count; i++)
            {
                if (FigureTensor.IsFinite(prediction.AsSpan(i * length, length)))
                    areas.Add(
                        0, pictures.AsSpan(i * imageLength, imageLength), prediction.AsSpan(i * length, length),
                        truth.AsSpan(i * length, length));
            }
        }
        var all = areas.Compute()[0];
        (found["error_plain"], found["error_other"]) = (all.Plain.Error, all.Other.Error);
        (found["latent_std_plain"], found["latent_std_other"]) = (all.Plain.PredictionStd, all.Other.PredictionStd);
        return found;
    }

    /// <summary>NaN where no row is finite.</summary>
    static double Correlation(FigureTensor samples, CancellationToken cancellationToken)
    {
        using var correlation = new PatchCorrelation(samples.Shape);
        var length = (int)samples.Shape.Elements;
        var finite = false;
        while (correlation.Pass < correlation.PassCount)
        {
            foreach (var (row, count) in Parts(samples, samples))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var rows = FigureTensor.FiniteRows(samples.Read(row, count), length);
                finite |= rows.Length > 0;
                correlation.Add(rows);
            }
            if (!finite)
                return double.NaN;
            correlation.EndPass();
        }
        return correlation.Compute().Mean;
    }

    static IEnumerable<(int Row, int Count)> Parts(FigureTensor one, FigureTensor other)
    {
        var atOnce = Math.Min(one.RowsAtOnce, other.RowsAtOnce);
        for (var row = 0; row < one.Rows; row += atOnce)
            yield return (row, Math.Min(atOnce, one.Rows - row));
    }
}
