using System.Runtime.InteropServices;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Native;
using TorchSharp;
using static Taba.Diffusion.Tests.Metrics.SavedParts;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Metrics;

public sealed class CorrelationPartsTests
{
    static readonly StateShape s_shape = new(2, 7, 5);

    [Theory]
    [InlineData("noise")]
    [InlineData("latents")]
    [InlineData("samples")]
    [InlineData("odd_size")]
    [InlineData("constant_pixel")]
    public void Compute_InPatches_IsUpstreams(string tensor)
    {
        foreach (var (patch, k) in new[] { (8, 20), (8, 10), (4, 20), (1, 10), (5, 7) })
        {
            using var correlation = new PatchCorrelation(Golden.Shape(tensor), patch, k);
            correlation.Add(Golden.Input(tensor));
            AssertGolden(correlation.Compute(), "correlation.get_top_k_corr_in_patches", tensor, $"patch{patch}_top{k}");
        }
    }

    [Theory]
    [InlineData("noise")]
    [InlineData("latents")]
    [InlineData("samples")]
    [InlineData("constant_pixel")]
    public void Compute_OfWholeImages_IsUpstreams(string tensor)
    {
        foreach (var k in new[] { 1, 10, 20 })
        {
            using var correlation = PatchCorrelation.OfWholeImage(Golden.Shape(tensor), k);
            Assert.Equal(1, correlation.PassCount);
            correlation.Add(Golden.Input(tensor));
            AssertGolden(correlation.Compute(), "correlation.get_top_k_corr", tensor, $"{k}");
        }
    }

    [Fact]
    public void OfWholeImage_AboveTheLimit_NamesItsNeed()
    {
        var error = Assert.Throws<ArgumentException>(() => PatchCorrelation.OfWholeImage(new StateShape(3, 256, 256)));
        Assert.Contains("309,237,645,312 bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 32, 8)]
    [InlineData(3, 32, 32)]
    public void Compute_HoweverRowsOfTheMatrixAreBlocked_HasTheBitsOfOneMatrix(int channels, int side, int patch)
    {
        var shape = new StateShape(channels, side, side);
        var rows = new float[24 * shape.Elements];
        Fill(rows, 5);
        using var correlation = new PatchCorrelation(shape, patch, 20);
        correlation.Add(rows);
        Assert.Equal(OneMatrix(rows, shape, patch, 20), correlation.Compute());
    }

    [Fact]
    public void Merge_OfSavedParts_IsTheWhole()
    {
        var rows = new float[60 * s_shape.Elements];
        Fill(rows, 7);
        using var whole = Of(rows, 0, 60);
        using var merged = Merged(Of(rows, 0, 1), Of(rows, 1, 17), Of(rows, 17, 17), Of(rows, 17, 59), Of(rows, 59, 60));
        AssertSame(whole.Compute(), merged.Compute());
    }

    [Fact]
    public void Merge_WhereAValueNeverVaries_StaysNaN()
    {
        var rows = new float[20 * s_shape.Elements];
        Fill(rows, 7);
        for (var row = 0; row < 20; row++)
            rows[(row * s_shape.Elements) + 33] = 0.1f;
        using var merged = Merged(Of(rows, 0, 3), Of(rows, 3, 20));
        Assert.Equal(double.NaN, merged.Compute().Mean);
    }

    [Fact]
    public void Merge_OfValuesFarFromZero_KeepsItsDigits()
    {
        var rows = new float[60 * s_shape.Elements];
        Fill(rows, 7);
        for (var i = 0; i < rows.Length; i++)
            rows[i] = 100 + (1e-3f * rows[i]);
        using var whole = Of(rows, 0, 60);
        using var merged = Merged(Of(rows, 0, 30), Of(rows, 30, 60));
        var (expected, actual) = (whole.Compute(), merged.Compute());
        Assert.Equal(expected.Mean, actual.Mean, 1e-10);
        Assert.Equal(expected.Std, actual.Std, 1e-10);
    }

    [Fact]
    public void Read_InTheMiddleOfAPart_GoesOnWithTheSameBits()
    {
        var rows = new float[60 * s_shape.Elements];
        Fill(rows, 7);
        using var whole = Of(rows, 0, 20);
        using var continued = Saved(whole);
        whole.Add(rows.AsSpan(20 * (int)s_shape.Elements));
        continued.Add(rows.AsSpan(20 * (int)s_shape.Elements));
        Assert.Equal(whole.Compute(), continued.Compute());
    }

    [Fact]
    public void Merge_InSeveralPasses_IsTheWhole()
    {
        const long Limit = 6000;
        var rows = new float[40 * s_shape.Elements];
        Fill(rows, 7);
        var merged = new PatchCorrelation(s_shape, 3, 4, Limit);
        Assert.True(merged.PassCount > 1);
        while (merged.Pass < merged.PassCount)
        {
            foreach (var (from, to) in new[] { (0, 13), (13, 40) })
            {
                using var part = PatchCorrelation.AtPass(merged.Pass, s_shape, 3, 4, Limit);
                part.Add(rows.AsSpan(from * 70, (to - from) * 70));
                merged.Merge(Saved(part));
            }

            merged.EndPass();
            merged = Saved(merged);
        }

        using var whole = Of(rows, 0, 40);
        AssertSame(whole.Compute(), merged.Compute());
        Assert.Throws<ArgumentOutOfRangeException>(() => PatchCorrelation.AtPass(merged.PassCount, s_shape, 3, 4, Limit));
        merged.Dispose();
    }

    [Fact]
    public void Merge_OfOtherSettingsOrPasses_Throws()
    {
        var rows = new float[4 * s_shape.Elements];
        Fill(rows, 1);
        using var one = Of(rows, 0, 2);
        using var otherK = new PatchCorrelation(s_shape, 3, 5);
        using var ended = Of(rows, 2, 4);
        ended.EndPass();
        Assert.Throws<ArgumentException>(() => one.Merge(otherK));
        Assert.Throws<ArgumentException>(() => one.Merge(ended));
        Assert.Throws<ArgumentException>(() => ended.Merge(one));
    }

    [Fact]
    public void Read_OfWhatIsDamaged_SaysSo()
    {
        var rows = new float[4 * s_shape.Elements];
        Fill(rows, 1);
        using var part = Of(rows, 0, 4);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        AssertRefusesDamage(part);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Compute_OfOrderAndScale_DependsOnNeither()
    {
        var rows = new float[60 * s_shape.Elements];
        Fill(rows, 7);
        using var plain = Of(rows, 0, 60);
        var changed = Enumerable.Range(0, 60).Reverse()
            .SelectMany(row => rows.Skip(row * 70).Take(70)).Select(value => (4 * value) - 2).ToArray();
        using var other = Of(changed, 0, 60);
        var (expected, actual) = (plain.Compute(), other.Compute());

        // 4·x - 2 is rounded to float32.
        Assert.Equal(expected.Mean, actual.Mean, 1e-6);
        Assert.Equal(expected.Std, actual.Std, 1e-6);
    }

    static PatchCorrelation Of(float[] rows, int from, int to)
    {
        var correlation = new PatchCorrelation(s_shape, 3, 4);
        correlation.Add(rows.AsSpan(from * (int)s_shape.Elements, (to - from) * (int)s_shape.Elements));
        return correlation;
    }

    // All of each patch's matrix at once, one patch after the other.
    static CorrelationSummary OneMatrix(float[] rows, StateShape shape, int patch, int k)
    {
        using var scope = NewDisposeScope();
        var n = rows.Length / (int)shape.Elements;
        var wide = tensor(rows).to(ScalarType.Float64).reshape(shape.Batch(n));
        wide.sub_(wide.narrow(0, 0, 1).clone());
        using var count = ((long)n).ToScalar();
        var strongest = new List<double>();
        for (var top = 0; top < shape.Height; top += patch)
        {
            for (var left = 0; left < shape.Width; left += patch)
            {
                var values = wide.narrow(2, top, patch).narrow(3, left, patch).reshape(n, -1);
                var sum = values.sum(0L);
                var products = zeros([values.shape[1], values.shape[1]], ScalarType.Float64).addmm_(values.t(), values, 1, 1);
                var covariance = products - outer(sum, sum).div(count);
                var deviation = covariance.diagonal().sqrt();
                var correlation = covariance.div_(deviation.unsqueeze(1)).div_(deviation.unsqueeze(0))
                    .clamp_(Scalars.MinusOne, Scalars.One).abs_();
                var (largest, _) = correlation.triu(1).flatten().topk(k);
                strongest.AddRange(largest.data<double>());
            }
        }

        var mean = strongest.Sum() / strongest.Count;
        var squares = strongest.Sum(value => (value - mean) * (value - mean));
        return new(mean, Math.Sqrt(squares / (strongest.Count - 1)));
    }

    static void Fill(Span<float> rows, int seed)
    {
        var random = new Random(seed);
        var previous = 0f;
        foreach (ref var value in rows)
            value = previous = (0.6f * previous) + (float)(random.NextDouble() - 0.5);
    }

    static void AssertGolden(CorrelationSummary actual, params string[] path)
    {
        Assert.Equal(Golden.Scalar([.. path, "mean"]), actual.Mean, 1e-4);
        Assert.Equal(Golden.Scalar([.. path, "std"]), actual.Std, 1e-4);
    }

    static void AssertSame(CorrelationSummary expected, CorrelationSummary actual)
    {
        Assert.Equal(expected.Mean, actual.Mean, 1e-12);
        Assert.Equal(expected.Std, actual.Std, 1e-12);
    }
}
