using Taba.Client.Drawing;
using Taba.Diffusion.Metrics.Geometry;

namespace Taba.Client.Figures;

/// <summary>The most probable triangles of noise, sample and latent, side by side: how far latents are from their noise.</summary>
static class TriangleFigure
{
    const double CellWidth = 180;
    const double CellHeight = 150;
    const double Margin = 34;
    const int Across = 2;

    /// <summary>Null when no run has noise, samples and latents of one shape, or no triangle is there.</summary>
    public static Figure? Of(string name, IEnumerable<FigureRun> runs, CancellationToken cancellationToken)
    {
        var found = new List<(string Label, Triangle Triangle)>();
        var words = "";
        foreach (var run in runs)
        {
            using var noise = FigureTensor.Open(run, "noise");
            using var samples = FigureTensor.Open(run, "samples");
            using var latents = FigureTensor.Open(run, "latents");
            if (noise is null || samples is null || latents is null || noise.Shape != samples.Shape || noise.Shape != latents.Shape
                || noise.Rows != samples.Rows || noise.Rows != latents.Rows)
                continue;
            var rows = FigureRows.Of(noise);
            if (Measure(noise, samples, latents, rows, cancellationToken) is not { } triangle)
                continue;
            found.Add((run.Label, triangle));
            words = FigureRows.Words(rows, noise.Rows);
        }
        return found.Count == 0 ? null : new(
            name, "Most probable triangle of noise, sample and latent",
            $"Whole degrees that sum to 180, each the angle of most of {words} when the three are taken together. All triangles have the "
            + "same side from sample to noise. Latents that were their noise would leave no angle at the sample.",
            Draw(found));
    }

    static Triangle? Measure(
        FigureTensor noise, FigureTensor samples, FigureTensor latents, int rows, CancellationToken cancellationToken)
    {
        var triangle = new MostProbableTriangle(noise.Shape);
        for (var row = 0; row < rows; row += noise.RowsAtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // Angles of rows that hold NaN are in no bin.
            var count = Math.Min(noise.RowsAtOnce, rows - row);
            triangle.Add(noise.Read(row, count), samples.Read(row, count), latents.Read(row, count));
        }
        return triangle.Compute();
    }

    static Svg Draw(List<(string Label, Triangle Triangle)> found)
    {
        var lines = (found.Count + Across - 1) / Across;
        var svg = new Svg(Across * CellWidth, lines * CellHeight);
        // Sample at 0,0 and noise at 1,0; the latent above, by the law of sines.
        var places = found.Select(f => Latent(f.Triangle)).ToList();
        var (left, right) = (Math.Min(0, places.Min(p => p.X)), Math.Max(1, places.Max(p => p.X)));
        var scale = Math.Min((CellWidth - 2 * Margin) / (right - left), (CellHeight - 76) / places.Max(p => p.Y));
        for (var i = 0; i < found.Count; i++)
        {
            var (x, y) = (i % Across * CellWidth + CellWidth / 2 - (left + right) / 2 * scale, i / Across * CellHeight + CellHeight - 30);
            var (label, triangle) = found[i];
            var top = (X: x + places[i].X * scale, Y: y - places[i].Y * scale);
            svg.Text(Ink.Word, i % Across * CellWidth + CellWidth / 2, i / Across * CellHeight + 14, label, "middle");
            svg.Lines(Ink.Stroke(0), [(x, y), (x + scale, y), top, (x, y)]);
            svg.Circle(Ink.Mark(0), x, y, 3);
            svg.Circle(Ink.Mark(0), x + scale, y, 3);
            svg.Circle(Ink.Mark(0), top.X, top.Y, 3);
            svg.Text(Ink.Label, x, y + 17, $"sample {triangle.Sample}°", "middle");
            svg.Text(Ink.Label, x + scale, y + 17, $"noise {triangle.Noise}°", "middle");
            svg.Text(Ink.Label, top.X, top.Y - 8, $"latent {triangle.Latent}°", "middle");
        }
        return svg;
    }

    static (double X, double Y) Latent(Triangle triangle)
    {
        var (sample, noise, latent) = (Radians(triangle.Sample), Radians(triangle.Noise), Radians(triangle.Latent));
        var toLatent = Math.Sin(noise) / Math.Sin(latent);
        return (toLatent * Math.Cos(sample), toLatent * Math.Sin(sample));

        static double Radians(int degrees) => double.DegreesToRadians(degrees);
    }
}
