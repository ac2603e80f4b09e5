using System.Globalization;
using Taba.Client.Drawing;
using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Client.Figures;

/// <summary>At which steps inversion errs, and where: its predictions against sampling's, inside and outside plain areas.</summary>
static class PlainAreaFigure
{
    /// <summary>Null when the run did not keep predictions of both, at steps that belong together.</summary>
    public static Figure? Of(string name, FigureRun run, CancellationToken cancellationToken)
    {
        using var predicted = FigureTensor.Open(run, "all_t_eps_latents");
        using var truth = FigureTensor.Open(run, "all_t_eps_samples");
        using var images = FigureTensor.Open(run, run.Images);
        if (predicted is null || truth is null || images is null || !images.Steps.IsEmpty || predicted.Shape != truth.Shape
            || predicted.Rows != truth.Rows || predicted.Rows != images.Rows
            // Where inversion has a T of its own, no two steps pass the same levels.
            || predicted.Steps[^1] != truth.Steps[^1])
            return null;
        var all = run.Steps ?? predicted.Steps[^1] + 1;
        var pairs = predicted.Steps
            .Select((step, place) => (Step: step, Predicted: place, Truth: truth.Steps.IndexOf(PlainAreaSteps.TruthOf(step, all))))
            .Where(p => p.Truth >= 0).ToList();
        if (pairs.Count < 2)
            return null;
        var rows = Math.Min(FigureRows.OfSteps(predicted), FigureRows.Of(images));
        var areas = new PlainAreaSteps(predicted.Shape, images.Shape, pairs.Count);
        var atOnce = Math.Min(predicted.RowsAtOnce, images.RowsAtOnce);
        var (length, imageLength) = ((int)predicted.Shape.Elements, (int)images.Shape.Elements);
        for (var row = 0; row < rows; row += atOnce)
        {
            var count = Math.Min(atOnce, rows - row);
            var pictures = images.Read(row, count);
            for (var i = 0; i < pairs.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (p, t) = (predicted.Read(pairs[i].Predicted, row, count), truth.Read(pairs[i].Truth, row, count));
                for (var at = 0; at < count; at++)
                {
                    var a = p.AsSpan(at * length, length);
                    var b = t.AsSpan(at * length, length);
                    if (FigureTensor.IsFinite(a) && FigureTensor.IsFinite(b))
                        areas.Add(i, pictures.AsSpan(at * imageLength, imageLength), a, b);
                }
            }
        }
        var found = areas.Compute();
        var resized = (images.Shape.Height, images.Shape.Width) == (predicted.Shape.Height, predicted.Shape.Width)
            ? ""
            : $", resized to {predicted.Shape.Height}×{predicted.Shape.Width}";
        List<PlotLine> lines = [Line("plain areas", f => f.Plain), Line("elsewhere", f => f.Other)];
        lines.RemoveAll(line => line.Points.All(p => !double.IsFinite(p.Y)));
        return lines.Count == 0 ? null : new(
            name, "Error of inversion's predictions, step by step",
            $"Mean absolute difference of the noise that {run.Label} predicts from what sampling predicted between the same noise levels. "
            + $"Plain are pixels that differ from the next below and to the right by less than {PlainMask.DefaultThreshold} on average, in "
            + $"images as they were saved (about −1 to 1{resized}): "
            + $"{found[0].Fraction.ToString("P0", CultureInfo.InvariantCulture)} of the pixels of "
            + $"{FigureRows.Words(rows, predicted.Rows)}.",
            new Plot($"step of inversion, of {all} (1: from the image)", "error (noise has deviation 1)", lines).Draw());

        PlotLine Line(string label, Func<PlainAreaErrors, AreaErrors> area) => new(
            label,
            [
                .. found.Select((f, i) => new PlotPoint(pairs[i].Step + 1, area(f).Error)
                {
                    Words = $"{label}, step {pairs[i].Step + 1}: {area(f).Error.ToString("0.####", CultureInfo.InvariantCulture)}",
                }),
            ]);
    }
}
