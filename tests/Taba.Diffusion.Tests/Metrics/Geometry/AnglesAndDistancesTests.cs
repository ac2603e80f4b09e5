using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Geometry;

namespace Taba.Diffusion.Tests.Metrics.Geometry;

public sealed class AnglesAndDistancesTests
{
    const int Length = 3 * 25 * 21;
    static readonly StateShape s_shape = new(3, 25, 21);

    [Fact]
    public void Value_OfARightTriangle_IsKnown()
    {
        // Sample at the origin, noise 3 and latent 4 away from it on two axes: a 3-4-5 triangle.
        var analysis = new AnglesAndDistances(new StateShape(1, 1, 2));
        analysis.Add([3, 0, 0, 3], [0, 0, 0, 0], [0, 4, 4, 0]);
        var value = analysis.Value;
        Assert.Equal(90, value.AngleAtSample, 1e-12);
        Assert.Equal(double.RadiansToDegrees(Math.Atan2(4, 3)), value.AngleAtNoise, 1e-12);
        Assert.Equal(double.RadiansToDegrees(Math.Atan2(3, 4)), value.AngleAtLatent, 1e-12);
        Assert.Equal(new Moments(2, 3, 0), value.SampleToNoise);
        Assert.Equal(new Moments(2, 4, 0), value.SampleToLatent);
        Assert.Equal(new Moments(2, 5, 0), value.NoiseToLatent);
        Assert.Equal(double.NaN, value.SquaredError);
        Assert.DoesNotContain("mean_mse_img_img2", value.Named().Keys);
    }

    [Fact]
    public void Value_OfThreeIndependentGaussians_IsAnEquilateralTriangle()
    {
        // Differences of independent rows share one half of their variance: cosines 1/2, sides √(2D).
        var analysis = new AnglesAndDistances(s_shape);
        analysis.Add(AnalysisRows.Normal(1, 64 * Length), AnalysisRows.Normal(2, 64 * Length), AnalysisRows.Normal(3, 64 * Length));
        var value = analysis.Value;
        foreach (var angle in new[] { value.AngleAtSample, value.AngleAtNoise, value.AngleAtLatent })
            Assert.Equal(60, angle, 0.5);
        foreach (var side in new[] { value.SampleToNoise, value.SampleToLatent, value.NoiseToLatent })
            Assert.Equal(Math.Sqrt(2 * Length), side.Mean, 0.3);
    }

    [Fact]
    public void Value_OfALatentThatIsTheNoise_HasNoAngleThere()
    {
        // As torch's normalize: a side without length has the cosine 0.
        var (noise, samples) = (AnalysisRows.Normal(1, 4 * Length), AnalysisRows.Normal(2, 4 * Length));
        var analysis = new AnglesAndDistances(s_shape);
        analysis.Add(noise, samples, noise);
        Assert.Equal(0, analysis.Value.AngleAtSample, 1e-5);
        Assert.Equal(90, analysis.Value.AngleAtNoise, 1e-12);
        Assert.Equal(new Moments(4, 0, 0), analysis.Value.NoiseToLatent);
    }

    [Fact]
    public void Value_PermutedAndMovedAndScaled_IsThatOfTheSameTriangles()
    {
        var (noise, samples, latents) = Tensors(9);
        var plain = Of(noise, samples, latents);

        var permuted = Of(noise.Permuted(Length, 5), samples.Permuted(Length, 5), latents.Permuted(Length, 5));
        foreach (var (name, value) in plain.Named())
            AnalysisRows.Close(value, permuted.Named()[name]);

        // Powers of two move and scale float32 values without rounding what matters here.
        var moved = Of(noise.Plus(2), samples.Plus(2), latents.Plus(2));
        var scaled = Of(noise.Times(4), samples.Times(4), latents.Times(4));
        AnalysisRows.Close(plain.AngleAtLatent, moved.AngleAtLatent, 1e-5);
        AnalysisRows.Close(plain.SampleToNoise.Std, moved.SampleToNoise.Std, 1e-4);
        AnalysisRows.Close(plain.AngleAtLatent, scaled.AngleAtLatent);
        AnalysisRows.Close(4 * plain.SampleToNoise.Mean, scaled.SampleToNoise.Mean);
        AnalysisRows.Close(4 * plain.NoiseToLatent.Std, scaled.NoiseToLatent.Std);

        // A row of another order in one tensor only makes other triangles.
        Assert.NotEqual(plain.AngleAtNoise, Of(noise.Permuted(Length, 5), samples, latents).AngleAtNoise, 1e-3);
    }

    [Fact]
    public void Value_InParts_IsThatOfTheWhole()
    {
        var (noise, samples, latents) = Tensors(9);
        var reconstructions = samples.Plus(AnalysisRows.Normal(4, samples.Length, deviation: 0.1));
        AnalysisRows.EqualInParts(
            9,
            _ => new AnglesAndDistances(s_shape, withReconstructions: true),
            (analysis, first, count) => analysis.Add(
                noise.Rows(Length, first, count),
                samples.Rows(Length, first, count),
                latents.Rows(Length, first, count),
                reconstructions.Rows(Length, first, count)),
            (whole, merged) =>
            {
                Assert.Equal(whole.Value.SampleToNoise.Count, merged.Value.SampleToNoise.Count);
                AnalysisRows.Close(whole.Value.AbsoluteError, merged.Value.AbsoluteError);
                foreach (var (name, value) in whole.Value.Named())
                    AnalysisRows.Close(value, merged.Value.Named()[name]);
            });
    }

    [Fact]
    public void Add_WhatDoesNotFit_IsRefused()
    {
        var analysis = new AnglesAndDistances(new StateShape(1, 1, 2));
        Assert.Throws<ArgumentException>(() => analysis.Add([1], [1], [1]));
        Assert.Throws<ArgumentException>(() => analysis.Add([1, 2], [1, 2], [1, 2, 3, 4]));
        Assert.Throws<ArgumentException>(() => analysis.Add([1, 2], [1, 2], [1, 2], [1, 2]));
        Assert.Throws<ArgumentException>(() => new AnglesAndDistances(new StateShape(1, 1, 2), true).Add([1, 2], [1, 2], [1, 2]));
        Assert.Throws<ArgumentException>(() => analysis.Merge(new AnglesAndDistances(new StateShape(1, 2, 1))));
        Assert.Throws<ArgumentException>(() => new AnglesAndDistances(new StateShape(1, 0, 2)));
    }

    static (float[] Noise, float[] Samples, float[] Latents) Tensors(int rows)
    {
        var noise = AnalysisRows.Normal(1, rows * Length);
        return (noise, AnalysisRows.Normal(2, rows * Length, 0.3, 0.5), noise.Plus(AnalysisRows.Normal(3, rows * Length, deviation: 0.4)));
    }

    static AnglesAndDistancesSummary Of(float[] noise, float[] samples, float[] latents)
    {
        var analysis = new AnglesAndDistances(s_shape);
        analysis.Add(noise, samples, latents);
        return analysis.Value;
    }
}
