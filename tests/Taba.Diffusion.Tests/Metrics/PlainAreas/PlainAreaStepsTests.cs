using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Diffusion.Tests.Metrics.PlainAreas;

public sealed class PlainAreaStepsTests
{
    const int Side = 12;
    const int Pixels = Side * Side;
    static readonly StateShape s_images = new(3, Side, Side);
    static readonly StateShape s_states = new(2, Side, Side);

    [Fact]
    public void Compute_ErrorsThatLieInPlainAreas_AreFoundThere()
    {
        // The left half of each image is flat. Predictions are off by 3 there and by 1 elsewhere; deviations are 2 and 5.
        var images = HalfFlat(200);
        var truth = AnalysisRows.Normal(2, 200 * 2 * Pixels);
        for (var i = 0; i < truth.Length; i++)
            truth[i] *= IsFlat(i) ? 2 : 5;
        var predicted = truth.Select((value, i) => value + (IsFlat(i) ? 3f : -1f)).ToArray();

        var analysis = new PlainAreaSteps(s_states, s_images);
        analysis.Add(0, images, predicted, truth);
        var value = Assert.Single(analysis.Compute());
        Assert.Equal(5.0 / 12, value.Fraction, 0.05);
        Assert.Equal(3, value.Plain.Error, 0.1);
        Assert.Equal(1 + (2.0 / 84), value.Other.Error, 0.5);
        Assert.Equal(2, value.Plain.TruthStd, 0.2);
        Assert.Equal(200L * 2 * Pixels, value.Plain.Values + value.Other.Values);
        Assert.True(value.Other.TruthStd > 4 && value.Other.PredictionStd > 4);
    }

    [Fact]
    public void Compute_OfNoPlainPixelAtAll_IsNaNInside()
    {
        // All but the last corner of a checkerboard differ; a mask of one pixel has a deviation of 0.
        var shape = new StateShape(1, 1, 2);
        var analysis = new PlainAreaSteps(shape, shape, steps: 2);
        analysis.Add(1, [0, 1], [5, 7], [4, 4]);
        var (none, some) = (analysis.Compute()[0], analysis.Compute()[1]);
        Assert.Equal(double.NaN, none.Fraction);
        Assert.Equal(double.NaN, none.Plain.Error);
        Assert.Equal(new AreaErrors(1, 3, 0, 0), some.Plain);
        Assert.Equal(new AreaErrors(1, 1, 0, 0), some.Other);
        Assert.Equal(0.5, some.Fraction);
    }

    [Fact]
    public void Compute_ImagesOfAnotherSize_AreMaskedInTheSizeOfTheStates()
    {
        // Each pixel of a state is a block of 4x4 pixels; blocks of the left half are flat.
        var large = new StateShape(3, 4 * Side, 4 * Side);
        var noise = AnalysisRows.Normal(1, (int)large.Elements, deviation: 4);
        float[] image = [.. noise.Select((value, i) => i % (4 * Side) < 2 * Side ? 0.5f : value)];
        var states = new float[2 * Pixels];
        var analysis = new PlainAreaSteps(s_states, large);
        analysis.Add(0, image, states, states);
        var expected = new PlainMask(s_images).Find(Resized(image), new bool[Pixels]);
        Assert.Equal(expected / (double)Pixels, analysis.Compute()[0].Fraction, 1e-12);
        Assert.InRange(analysis.Compute()[0].Fraction, 4.0 / 12, 5.0 / 12 + 0.02);

        float[] Resized(float[] from)
        {
            var resized = new float[3 * Pixels];
            new BicubicResize(large, Side, Side).Apply(from, resized);
            return resized;
        }
    }

    [Fact]
    public void TruthOf_TheFirstStepOfInversion_IsTheLastOfSampling()
    {
        Assert.Equal(49, PlainAreaSteps.TruthOf(0, 50));
        Assert.Equal(0, PlainAreaSteps.TruthOf(49, 50));
    }

    [Fact]
    public void Compute_PermutedRowsAndMovedTensors_IsTheSame()
    {
        var (images, truth) = (HalfFlat(8), AnalysisRows.Normal(2, 8 * 2 * Pixels));
        var predicted = truth.Plus(AnalysisRows.Normal(3, truth.Length));
        var plain = Of(images, predicted, truth);
        var permuted = Of(
            images.Permuted(3 * Pixels, 1), predicted.Permuted(2 * Pixels, 1), truth.Permuted(2 * Pixels, 1));
        AnalysisRows.Close(plain.Plain.Error, permuted.Plain.Error);
        AnalysisRows.Close(plain.Other.PredictionStd, permuted.Other.PredictionStd);

        var scaled = Of(images, predicted.Times(4), truth.Times(4));
        AnalysisRows.Close(4 * plain.Plain.Error, scaled.Plain.Error);
        AnalysisRows.Close(4 * plain.Other.TruthStd, scaled.Other.TruthStd);
        AnalysisRows.Close(plain.Plain.TruthStd, Of(images, predicted, truth.Plus(8)).Plain.TruthStd, 1e-5);
    }

    [Fact]
    public void Compute_InParts_IsThatOfTheWhole()
    {
        var (images, truth) = (HalfFlat(9), AnalysisRows.Normal(2, 9 * 2 * Pixels));
        var predicted = truth.Plus(AnalysisRows.Normal(3, truth.Length));
        AnalysisRows.EqualInParts(
            9,
            _ => new PlainAreaSteps(s_states, s_images, steps: 2),
            (analysis, first, count) =>
            {
                var rows = images.Rows(3 * Pixels, first, count);
                analysis.Add(0, rows, predicted.Rows(2 * Pixels, first, count), truth.Rows(2 * Pixels, first, count));
                analysis.Add(1, rows, truth.Rows(2 * Pixels, first, count), predicted.Rows(2 * Pixels, first, count));
            },
            (whole, merged) =>
            {
                foreach (var (a, b) in whole.Compute().Zip(merged.Compute()))
                {
                    Assert.Equal((a.Fraction, a.Plain.Values, a.Other.Values), (b.Fraction, b.Plain.Values, b.Other.Values));
                    AnalysisRows.Close(a.Plain.Error, b.Plain.Error);
                    AnalysisRows.Close(a.Other.Error, b.Other.Error);
                    AnalysisRows.Close(a.Plain.PredictionStd, b.Plain.PredictionStd);
                    AnalysisRows.Close(a.Other.TruthStd, b.Other.TruthStd);
                }
            });
    }

    [Fact]
    public void Add_WhatDoesNotFit_IsRefused()
    {
        var analysis = new PlainAreaSteps(s_states, s_images);
        Assert.Throws<ArgumentException>(() => new PlainAreaSteps(s_states, new StateShape(3, 0, 24)));
        Assert.Throws<ArgumentException>(() => analysis.Add(0, new float[3 * Pixels], new float[4 * Pixels], new float[4 * Pixels]));
        Assert.Throws<ArgumentOutOfRangeException>(() => analysis.Add(1, [], [], []));
        Assert.Throws<ArgumentException>(() => analysis.Merge(new PlainAreaSteps(s_states, s_images, threshold: 0.1f)));
    }

    static bool IsFlat(int i) => i % Side < Side / 2;

    static float[] HalfFlat(int rows) => [.. AnalysisRows.Normal(1, rows * 3 * Pixels).Select((value, i) => IsFlat(i) ? 0.5f : value)];

    static PlainAreaErrors Of(float[] images, float[] predicted, float[] truth)
    {
        var analysis = new PlainAreaSteps(s_states, s_images);
        analysis.Add(0, images, predicted, truth);
        return analysis.Compute()[0];
    }
}
