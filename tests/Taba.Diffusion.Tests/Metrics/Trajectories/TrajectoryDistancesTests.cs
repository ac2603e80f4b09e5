using Taba.Diffusion.Metrics.Trajectories;

namespace Taba.Diffusion.Tests.Metrics.Trajectories;

public sealed class TrajectoryDistancesTests
{
    const int Length = 3 * 31 * 17;
    static readonly StateShape s_shape = new(3, 31, 17);

    [Fact]
    public void Compute_OfKnownPoints_IsKnown()
    {
        // From (0,0) to (4,0) in five points; the state stands above the second one.
        var analysis = new TrajectoryDistances(new StateShape(1, 1, 2), steps: 2, points: 5);
        analysis.Add(1, [1, 2], [0, 0], [4, 0]);
        var (none, step) = (analysis.Compute()[0], analysis.Compute()[1]);
        for (var i = 0; i < 5; i++)
            Assert.Equal(Math.Sqrt(4 + ((i - 1) * (i - 1))), step.Distances[i], 1e-12);
        Assert.Equal((1, 0), (step.CloserToNoise, step.CloserToLatent));
        Assert.All(none.Distances, distance => Assert.Equal(double.NaN, distance));

        // In the middle: a tie is the latent's.
        analysis.Add(0, [2, 7], [0, 0], [4, 0]);
        Assert.Equal((0, 1), (analysis.Compute()[0].CloserToNoise, analysis.Compute()[0].CloserToLatent));
    }

    [Fact]
    public void Compute_OfStatesOnTheLine_IsTheWayAlongIt()
    {
        var (noise, latents) = (AnalysisRows.Normal(1, 6 * Length), AnalysisRows.Normal(2, 6 * Length));
        var analysis = new TrajectoryDistances(s_shape, steps: 1);
        analysis.Add(0, noise.Times(0.75f).Plus(latents.Times(0.25f)), noise, latents);
        var step = analysis.Compute()[0];
        var whole = step.Distances[24] / 0.75;
        for (var i = 0; i < 25; i++)
            Assert.Equal(Math.Abs((i / 24.0) - 0.25) * whole, step.Distances[i], 1e-5 * whole);
        Assert.Equal(6, step.CloserToNoise);
    }

    [Fact]
    public void Compute_OfEveryPoint_IsTheDistanceReckonedDirectly()
    {
        var (states, noise, latents) = (AnalysisRows.Normal(1, Length), AnalysisRows.Normal(2, Length), AnalysisRows.Normal(3, Length));
        var analysis = new TrajectoryDistances(s_shape, steps: 1, points: 7);
        analysis.Add(0, states, noise, latents);
        for (var i = 0; i < 7; i++)
        {
            var alpha = i / 6.0;
            var squares = states.Select((x, k) => Math.Pow(x - (((1 - alpha) * noise[k]) + (alpha * latents[k])), 2)).Sum();
            AnalysisRows.Close(Math.Sqrt(squares), analysis.Compute()[0].Distances[i]);
        }
    }

    [Fact]
    public void Compute_PermutedMovedAndScaled_Follows()
    {
        var (states, noise, latents) = Tensors(8);
        var plain = Of(states, noise, latents);
        var permuted = Of(states.Permuted(Length, 2), noise.Permuted(Length, 2), latents.Permuted(Length, 2));
        var (moved, scaled) = (Of(states.Plus(2), noise.Plus(2), latents.Plus(2)), Of(states.Times(2), noise.Times(2), latents.Times(2)));
        for (var i = 0; i < 25; i++)
        {
            AnalysisRows.Close(plain.Distances[i], permuted.Distances[i]);
            AnalysisRows.Close(plain.Distances[i], moved.Distances[i], 1e-5);
            AnalysisRows.Close(2 * plain.Distances[i], scaled.Distances[i]);
        }

        // Turned round, the line runs the other way.
        var turned = Of(states, latents, noise);
        AnalysisRows.Close(plain.Distances[3], turned.Distances[21]);
        Assert.Equal(plain.CloserToNoise, turned.CloserToLatent);
    }

    [Fact]
    public void Compute_InParts_IsThatOfTheWhole()
    {
        var (states, noise, latents) = Tensors(9);
        AnalysisRows.EqualInParts(
            9,
            _ => new TrajectoryDistances(s_shape, steps: 3),
            (analysis, first, count) =>
            {
                var (n, l) = (noise.Rows(Length, first, count), latents.Rows(Length, first, count));
                analysis.Add(0, n, n, l);
                analysis.Add(2, states.Rows(Length, first, count), n, l);
            },
            (whole, merged) =>
            {
                foreach (var (a, b) in whole.Compute().Zip(merged.Compute()))
                {
                    Assert.Equal((a.CloserToNoise, a.CloserToLatent), (b.CloserToNoise, b.CloserToLatent));
                    for (var i = 0; i < 25; i++)
                        AnalysisRows.Close(a.Distances[i], b.Distances[i]);
                }
            });
    }

    [Fact]
    public void Add_WhatDoesNotFit_IsRefused()
    {
        var analysis = new TrajectoryDistances(s_shape, steps: 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => analysis.Add(1, [], [], []));
        Assert.Throws<ArgumentException>(() => analysis.Add(0, new float[Length], new float[Length], new float[2 * Length]));
        Assert.Throws<ArgumentException>(() => analysis.Merge(new TrajectoryDistances(s_shape, steps: 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrajectoryDistances(s_shape, steps: 1, points: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrajectoryDistances(s_shape, steps: 0));
    }

    static (float[] States, float[] Noise, float[] Latents) Tensors(int rows) =>
        (AnalysisRows.Normal(1, rows * Length), AnalysisRows.Normal(2, rows * Length), AnalysisRows.Normal(3, rows * Length));

    static TrajectoryStep Of(float[] states, float[] noise, float[] latents)
    {
        var analysis = new TrajectoryDistances(s_shape, steps: 1);
        analysis.Add(0, states, noise, latents);
        return analysis.Compute()[0];
    }
}
