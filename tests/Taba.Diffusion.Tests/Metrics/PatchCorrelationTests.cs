using Taba.Diffusion.Metrics;
using TorchSharp;

namespace Taba.Diffusion.Tests.Metrics;

public sealed class PatchCorrelationTests
{
    static readonly StateShape s_shape = new(2, 7, 5);

    [Theory]
    [InlineData(3, 4)]
    [InlineData(2, 100)]
    [InlineData(8, 10)]
    public void Compute_OfAnyPatchSize_IsThatOfAPlainLoop(int patchSize, int topK)
    {
        var rows = RandomRows(40, offset: 0);
        AssertSame(PlainLoop(rows, 40, patchSize, topK), Measure(rows, patchSize, topK));
    }

    [Fact]
    public void Compute_OfValuesFarFromZero_KeepsItsDigits()
    {
        // A spread of 1e-3 beside a mean of 100: sums of raw squares would lose it.
        var rows = RandomRows(40, offset: 100, scale: 1e-3f);
        AssertSame(PlainLoop(rows, 40, 3, 4), Measure(rows, 3, 4));
    }

    [Theory]
    [InlineData(2700L)]
    [InlineData(6000L)]
    [InlineData(7000L)]
    public void Compute_InSeveralPasses_IsThatOfOne(long memoryLimit)
    {
        var rows = RandomRows(40, offset: 0);
        using var inPasses = new PatchCorrelation(s_shape, 3, 4, memoryLimit);
        Assert.True(inPasses.PassCount > 1);
        while (inPasses.Pass < inPasses.PassCount)
        {
            inPasses.Add(rows);
            inPasses.EndPass();
        }

        AssertSame(Measure(rows, 3, 4), inPasses.Compute());
    }

    [Fact]
    public void Compute_OfAValueThatNeverVaries_IsNaN()
    {
        var rows = RandomRows(40, offset: 0);
        for (var row = 0; row < 40; row++)
            rows[(row * 70) + 33] = 0.1f;

        var summary = Measure(rows, 3, 4);

        Assert.Equal(double.NaN, summary.Mean);
        Assert.Equal(double.NaN, summary.Std);
    }

    [Fact]
    public void Compute_OfOneRow_IsNaN() => Assert.Equal(double.NaN, Measure(RandomRows(1, offset: 0), 3, 4).Mean);

    [Fact]
    public void Compute_OfPatchesOfOneValue_IsNaN()
    {
        using var correlation = new PatchCorrelation(new StateShape(1, 2, 2), 1, 4);
        correlation.Add([1, 2, 3, 4, 4, 3, 2, 2]);
        Assert.Equal(double.NaN, correlation.Compute().Mean);
    }

    [Fact]
    public void Constructor_OfAPatchAboveTheLimit_NamesItsNeed()
    {
        var error = Assert.Throws<ArgumentException>(() => new PatchCorrelation(s_shape, 3, 4, memoryLimit: 2000));
        Assert.Contains("2,592 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EndPass_WithOtherRowsThanTheFirst_Throws()
    {
        using var correlation = new PatchCorrelation(s_shape, 3, 4, 6000);
        correlation.Add(RandomRows(4, offset: 0));
        correlation.EndPass();
        correlation.Add(RandomRows(3, offset: 0));
        Assert.Throws<InvalidOperationException>(correlation.EndPass);
    }

    [Fact]
    public void Compute_BeforeAllPasses_Throws()
    {
        using var correlation = new PatchCorrelation(s_shape, 3, 4, 6000);
        correlation.Add(RandomRows(4, offset: 0));
        Assert.Throws<InvalidOperationException>(() => correlation.Compute());
    }

    [Fact]
    public void Add_OfBrokenRowsOrAfterTheEnd_Throws()
    {
        using var correlation = new PatchCorrelation(s_shape, 3, 4);
        Assert.Throws<ArgumentException>(() => correlation.Add(new float[69]));
        Assert.Throws<InvalidOperationException>(() => correlation.Compute());
        correlation.Add(RandomRows(4, offset: 0));
        correlation.EndPass();
        Assert.Throws<InvalidOperationException>(() => correlation.Add(RandomRows(1, offset: 0)));
        Assert.Equal(correlation.Compute(), correlation.Compute());
    }

    [Fact]
    public void Add_OfManyParts_LeavesNoTensorBehind()
    {
        var rows = RandomRows(40, offset: 0);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Measure(rows, 3, 4);
        using (var abandoned = new PatchCorrelation(s_shape, 3, 4))
            abandoned.Add(rows);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    static CorrelationSummary Measure(float[] rows, int patchSize, int topK)
    {
        using var correlation = new PatchCorrelation(s_shape, patchSize, topK);
        var values = rows.AsSpan();
        for (var part = 1; !values.IsEmpty; part++)
        {
            var length = Math.Min(values.Length, part * (int)s_shape.Elements);
            correlation.Add(values[..length]);
            values = values[length..];
        }

        return correlation.Compute();
    }

    // Neighbours share a part of their value, so that correlations differ.
    static float[] RandomRows(int count, float offset, float scale = 1)
    {
        var random = new Random(3);
        var rows = new float[count * s_shape.Elements];
        var previous = 0f;
        for (var i = 0; i < rows.Length; i++)
        {
            previous = (0.6f * previous) + (float)(random.NextDouble() - 0.5);
            rows[i] = offset + (scale * previous);
        }

        return rows;
    }

    static CorrelationSummary PlainLoop(float[] rows, int count, int patchSize, int topK)
    {
        var strongest = new List<double>();
        for (var top = 0; top < s_shape.Height; top += patchSize)
        {
            for (var left = 0; left < s_shape.Width; left += patchSize)
            {
                var columns = (
                    from c in Enumerable.Range(0, s_shape.Channels)
                    from y in Enumerable.Range(top, Math.Min(patchSize, s_shape.Height - top))
                    from x in Enumerable.Range(left, Math.Min(patchSize, s_shape.Width - left))
                    select Centred(rows, count, (((c * s_shape.Height) + y) * s_shape.Width) + x)).ToArray();
                var pairs =
                    from i in Enumerable.Range(0, columns.Length)
                    from j in Enumerable.Range(i + 1, columns.Length - i - 1)
                    select Math.Abs(Dot(columns[i], columns[j]) / Math.Sqrt(Dot(columns[i], columns[i]) * Dot(columns[j], columns[j])));
                strongest.AddRange(pairs.OrderDescending().Take(topK));
            }
        }

        var mean = strongest.Average();
        return new CorrelationSummary(mean, Math.Sqrt(strongest.Sum(value => (value - mean) * (value - mean)) / (strongest.Count - 1)));
    }

    static double[] Centred(float[] rows, int count, int element)
    {
        var values = Enumerable.Range(0, count).Select(row => (double)rows[(row * s_shape.Elements) + element]).ToArray();
        var mean = values.Average();
        return [.. values.Select(value => value - mean)];
    }

    static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    static void AssertSame(CorrelationSummary expected, CorrelationSummary actual)
    {
        Assert.Equal(expected.Mean, actual.Mean, 1e-10);
        Assert.Equal(expected.Std, actual.Std, 1e-10);
    }
}
