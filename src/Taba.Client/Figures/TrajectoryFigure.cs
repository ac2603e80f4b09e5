using System.Globalization;
using Taba.Client.Drawing;
using Taba.Diffusion.Metrics.Trajectories;

namespace Taba.Client.Figures;

/// <summary>Where sampling runs between its noise and the latent that inversion makes of its end: a map of distances.</summary>
static class TrajectoryFigure
{
    /// <summary>A page shows no more columns than these apart.</summary>
    const int MostColumns = 100;

    /// <summary>Null when the run kept no states of sampling, or has no noise or latents of their shape.</summary>
    public static Figure? Of(string name, FigureRun run, CancellationToken cancellationToken)
    {
        using var states = FigureTensor.Open(run, "all_t_samples");
        using var noise = FigureTensor.Open(run, "noise");
        using var latents = FigureTensor.Open(run, "latents");
        if (states is null || states.Steps.Length < 2 || noise is null || latents is null || states.Shape != noise.Shape
            || states.Shape != latents.Shape || states.Rows != noise.Rows || states.Rows != latents.Rows)
            return null;
        var rows = FigureRows.OfSteps(states);
        var every = (states.Steps.Length + MostColumns - 1) / MostColumns;
        var places = Enumerable.Range(0, states.Steps.Length).Where(i => i % every == 0).ToList();
        var steps = Measure(states, places, noise, latents, rows, cancellationToken);
        if (steps.Any(s => !double.IsFinite(s.Distances[0])))
            return null;
        var map = new HeatMap(
            $"step of sampling, of {states.Steps[^1] + 1}", "point of the way from noise to latent", "nearest", "farthest",
            [.. places.Select(place => (states.Steps[place] + 1).ToString(CultureInfo.InvariantCulture))],
            ["noise", "half", "latent"], [.. steps.Select(Scaled)])
        {
            Marked = [.. steps.Select(s => s.Distances.Index().MinBy(d => d.Item).Index)],
        };
        return new(
            name, "Distance of sampling to the way from noise to latent",
            $"Mean L2 distance of the state after each step to {TrajectoryDistances.DefaultPoints} points of the straight line from the "
            + $"noise to the latent of {run.Label}, each column scaled to its own nearest (dark) and farthest (light); a dot marks the "
            + $"nearest. Of {FigureRows.Words(rows, states.Rows)}.",
            map.Draw());
    }

    static IReadOnlyList<TrajectoryStep> Measure(
        FigureTensor states, List<int> places, FigureTensor noise, FigureTensor latents, int rows, CancellationToken cancellationToken)
    {
        var distances = new TrajectoryDistances(states.Shape, places.Count);
        var length = (int)states.Shape.Elements;
        for (var row = 0; row < rows; row += states.RowsAtOnce)
        {
            var count = Math.Min(states.RowsAtOnce, rows - row);
            var (from, to) = (noise.Read(row, count), latents.Read(row, count));
            for (var step = 0; step < places.Count; step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var at = states.Read(places[step], row, count);
                for (var i = 0; i < at.Length; i += length)
                {
                    if (FigureTensor.IsFinite(at.AsSpan(i, length)) && FigureTensor.IsFinite(to.AsSpan(i, length)))
                        distances.Add(step, at.AsSpan(i, length), from.AsSpan(i, length), to.AsSpan(i, length));
                }
            }
        }
        return distances.Compute();
    }

    static IReadOnlyList<double> Scaled(TrajectoryStep step)
    {
        var (low, high) = (step.Distances.Min(), step.Distances.Max());
        return [.. step.Distances.Select(d => high > low ? (d - low) / (high - low) : 0)];
    }
}
