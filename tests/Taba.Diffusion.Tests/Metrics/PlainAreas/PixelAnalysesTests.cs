using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Diffusion.Tests.Metrics.PlainAreas;

public sealed class PixelAnalysesTests
{
    const int Length = 3 * 20 * 16;
    static readonly StateShape s_shape = new(3, 20, 16);

    [Fact]
    public void PatchVariance_OfWhiteNoise_IsThatOfNineValues()
    {
        // Inside: 8/9 of σ², by nine values about their own mean. At the borders zeros take part, and less is left.
        var variances = new double[300 * 300];
        PatchVariance.Find(new StateShape(1, 300, 300), AnalysisRows.Normal(1, 90_000, deviation: 2), variances);
        var inside = Enumerable.Range(1, 298).SelectMany(y => variances.Skip((y * 300) + 1).Take(298)).Average();
        Assert.Equal(4 * 8.0 / 9, inside, 0.03);

        // A corner has 4 values and 5 zeros: of the constant 3, 9·(4/9) - 9·(4/9)².
        PatchVariance.Find(new StateShape(1, 2, 2), [3, 3, 3, 3], variances.AsSpan(0, 4));
        Assert.Equal(9 * 20.0 / 81, variances[0], 1e-12);
    }

    [Fact]
    public void PatchVariance_InPartsAndScaled_IsThatOfTheWhole()
    {
        var rows = AnalysisRows.Normal(1, 9 * Length, deviation: 0.05);
        AnalysisRows.EqualInParts(
            9,
            _ => new PatchVariance(s_shape),
            (analysis, first, count) => analysis.Add(rows.Rows(Length, first, count)),
            (whole, merged) =>
            {
                AnalysisRows.Close(whole.Value.Plain, merged.Value.Plain);
                AnalysisRows.Close(whole.Value.Other, merged.Value.Other);
                AnalysisRows.Close(whole.Value.All, merged.Value.All);
            });

        var (once, scaled) = (new PatchVariance(s_shape, 0.25f), new PatchVariance(s_shape, 0.5f));
        once.Add(rows);
        scaled.Add(rows.Times(2).Permuted(Length, 3));
        AnalysisRows.Close(4 * once.Value.Plain, scaled.Value.Plain);
        AnalysisRows.Close(4 * once.Value.All, scaled.Value.All);
    }

    [Fact]
    public void PngBits_OfNoiseAndOfFlatPixels_AreMoreAndLess()
    {
        // Random bytes cannot be compressed: 24 bits a pixel and the file's frame. The left half is flat, and costs the frame alone.
        var shape = new StateShape(3, 64, 64);
        var random = new Random(1);
        float[] image =
        [
            .. Enumerable.Range(0, 3 * 64 * 64).Select(i => i % 64 < 32 ? 0.5f : ((random.Next(256) + 0.5f) / 127.5f) - 1),
        ];
        var bits = new PngBits(shape);
        bits.Add(image);
        Assert.InRange(bits.Value.Other, 24, 24.6);
        Assert.InRange(bits.Value.Plain, 0.1, 0.6);
        Assert.Equal(bits.Value.Plain, bits.Value.PlainOverAll);

        // An image without plain pixels counts for upstream's mean only; the corner is always plain, so mask all with a high threshold.
        var all = new PngBits(shape, threshold: 100);
        all.Add(image);
        Assert.Equal(double.NaN, all.Value.Other);
        Assert.Equal(0, all.Value.OtherOverAll);
        Assert.Throws<ArgumentException>(() => new PngBits(new StateShape(4, 8, 8)));
    }

    [Fact]
    public void PngBits_InParts_AreThoseOfTheWhole()
    {
        var rows = AnalysisRows.Normal(1, 9 * Length, deviation: 0.1);
        AnalysisRows.EqualInParts(
            9,
            _ => new PngBits(s_shape, threshold: 0.1f),
            (analysis, first, count) => analysis.Add(rows.Rows(Length, first, count)),
            (whole, merged) =>
            {
                AnalysisRows.Close(whole.Value.Plain, merged.Value.Plain);
                AnalysisRows.Close(whole.Value.Other, merged.Value.Other);
                AnalysisRows.Close(whole.Value.PlainOverAll, merged.Value.PlainOverAll);
            });
    }

    [Fact]
    public void PixelComplexity_OfKnownHistograms_IsTheirEntropy()
    {
        var shape = new StateShape(1, 16, 16);
        var (flat, uniform) = (new PixelComplexity(shape, PixelScale.Bytes), new PixelComplexity(shape, PixelScale.Bytes));
        flat.Add(new float[256]);
        uniform.Add([.. Enumerable.Range(0, 256).Select(i => (float)i).OrderBy(i => (i * 7919) % 256)]);
        Assert.Equal(0, flat.Entropy.Mean);
        Assert.Equal(8, uniform.Entropy.Mean, 1e-12);
        Assert.True(flat.CompressedLength.Mean < 100);

        // Half of the values 0, half 255: one bit.
        var two = new PixelComplexity(shape);
        two.Add([.. Enumerable.Range(0, 256).Select(i => i % 2 == 0 ? -1.5f : 1.5f)]);
        Assert.Equal(1, two.Entropy.Mean, 1e-12);
        Assert.Throws<ArgumentException>(() => new PixelComplexity(new StateShape(2, 8, 8)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PixelComplexity(shape, (PixelScale)7));
    }

    [Theory]
    [InlineData(PixelScale.Signed, -1, 0)]
    [InlineData(PixelScale.Signed, 0.999f, 254)]
    [InlineData(PixelScale.Unit, 0.5f, 127)]
    [InlineData(PixelScale.Unit, 1.5f, 255)]
    [InlineData(PixelScale.Bytes, 12.9f, 12)]
    [InlineData(PixelScale.Bytes, float.NaN, 0)]
    public void PixelBytes_OfAValue_AreCutOffNotRounded(PixelScale scale, float value, byte expected) =>
        Assert.Equal(expected, PixelBytes.Of(value, scale));

    [Fact]
    public void PixelComplexity_InParts_IsThatOfTheWhole()
    {
        var rows = AnalysisRows.Normal(1, 9 * Length, deviation: 0.3);
        AnalysisRows.EqualInParts(
            9,
            _ => new PixelComplexity(s_shape),
            (analysis, first, count) => analysis.Add(rows.Rows(Length, first, count)),
            (whole, merged) =>
            {
                AnalysisRows.Close(whole.Entropy.Mean, merged.Entropy.Mean);
                AnalysisRows.Close(whole.Entropy.Std, merged.Entropy.Std, 1e-10);
                AnalysisRows.Close(whole.CompressedLength.Mean, merged.CompressedLength.Mean);
            });
    }
}
