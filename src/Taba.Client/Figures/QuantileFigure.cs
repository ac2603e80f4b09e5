using Taba.Client.Drawing;
using Taba.Diffusion.Metrics.Normality;

namespace Taba.Client.Figures;

/// <summary>Quantiles of latents against those of the noise that they stand for: latents that are as noise lie on the line.</summary>
static class QuantileFigure
{
    /// <summary>Enough for both tails, to one value in 500.</summary>
    const int Points = 256;

    /// <summary>Null when no run has noise and latents of one shape.</summary>
    public static Figure? Of(string name, IEnumerable<FigureRun> runs, CancellationToken cancellationToken)
    {
        var lines = new List<PlotLine>();
        var words = "";
        foreach (var run in runs)
        {
            using var noise = FigureTensor.Open(run, "noise");
            using var latents = FigureTensor.Open(run, "latents");
            if (noise is null || latents is null || noise.Shape != latents.Shape || noise.Rows != latents.Rows)
                continue;
            var rows = FigureRows.Of(noise);
            var plot = Measure(noise, latents, rows, cancellationToken);
            if (!double.IsFinite(plot.Noise[0]))
                continue;
            lines.Add(new(run.Label, [.. plot.Noise.Zip(plot.Latents, (x, y) => new PlotPoint(x, y))], IsMarked: false));
            words = FigureRows.Words(rows, noise.Rows);
        }
        return lines.Count == 0 ? null : new(
            name, "Latents against noise, quantile by quantile",
            $"{Points} quantiles of all values of {words}. Latents that are distributed as their noise lie on the dotted line; a flatter "
            + "line has a smaller deviation, and an S has other tails.",
            new Plot("quantile of the noise (its deviation is 1)", "quantile of the latents", lines) { Equal = "as the noise" }.Draw());
    }

    static QuantilePlotSummary Measure(FigureTensor noise, FigureTensor latents, int rows, CancellationToken cancellationToken)
    {
        var plot = new QuantilePlot(noise.Shape, Points);
        var length = (int)noise.Shape.Elements;
        for (var row = 0; row < rows; row += noise.RowsAtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(noise.RowsAtOnce, rows - row);
            var (x, y) = (noise.Read(row, count), latents.Read(row, count));
            for (var at = 0; at < x.Length; at += length)
            {
                var a = x.AsSpan(at, length);
                var b = y.AsSpan(at, length);
                if (FigureTensor.IsFinite(a) && FigureTensor.IsFinite(b))
                    plot.Add(a, b);
            }
        }
        return plot.Compute();
    }
}
