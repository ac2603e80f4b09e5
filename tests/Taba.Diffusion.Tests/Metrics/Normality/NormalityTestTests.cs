using Taba.Diffusion.Metrics.Normality;

namespace Taba.Diffusion.Tests.Metrics.Normality;

public sealed class NormalityTestTests
{
    const int Length = 300;
    static readonly StateShape s_shape = new(3, 10, 10);

    [Fact]
    public void Value_OfNormalAndOfOtherRows_AcceptsTheFormer()
    {
        var (normal, flat) = (new NormalityTest(s_shape), new NormalityTest(s_shape));
        normal.Add(AnalysisRows.Normal(1, 1000 * Length));
        var random = new Random(2);
        flat.Add([.. Enumerable.Range(0, 100 * Length).Select(_ => random.NextSingle())]);
        Assert.Equal(0.95, normal.Value.AcceptedShare, 0.03);
        Assert.True(flat.Value.AcceptedShare < 0.02);
        Assert.Equal(1000, normal.Value.Accepted + normal.Value.Rejected);
        Assert.Equal((double)normal.Value.Rejected / 1000, normal.Value.Named()["%_rej"]);
    }

    [Fact]
    public void Value_DrawnWithReplacement_RejectsMoreThanItShould()
    {
        // Ties: what upstream's counts of perfect noise suffer from.
        var rows = AnalysisRows.Normal(1, 300 * Length);
        var (ours, upstreams) = (new NormalityTest(s_shape), new NormalityTest(s_shape, drawing: NormalityDrawing.Upstream));
        ours.Add(rows);
        upstreams.Add(rows);
        Assert.True(upstreams.Value.AcceptedShare < ours.Value.AcceptedShare - 0.1);
    }

    [Theory]
    [InlineData(NormalityDrawing.WithoutReplacement)]
    [InlineData(NormalityDrawing.Upstream)]
    public void Draw_OfARow_DependsOnSeedAndRowOnly(NormalityDrawing drawing)
    {
        float[] values = [.. Enumerable.Range(0, 1000).Select(i => (float)i)];
        var forward = new ValueDrawing(drawing, 7, 1000);
        var first = Drawn(forward, 0);
        var second = Drawn(forward, 1);
        Assert.NotEqual(first, second);
        Assert.Equal(second, Drawn(new ValueDrawing(drawing, 7, 1000), 1));
        Assert.Equal(first, Drawn(forward, 0));
        Assert.NotEqual(first, Drawn(new ValueDrawing(drawing, 8, 1000), 0));
        Assert.Equal(drawing == NormalityDrawing.WithoutReplacement, first.Distinct().Count() == 200);

        // Every part of the row is drawn from.
        Assert.Equal(499.5, first.Average(), 100.0);

        double[] Drawn(ValueDrawing of, long row)
        {
            var drawn = new double[200];
            of.Draw(row, values, drawn);
            return drawn;
        }
    }

    [Theory]
    [InlineData(NormalityDrawing.WithoutReplacement)]
    [InlineData(NormalityDrawing.Upstream)]
    public void Value_InParts_IsThatOfTheWhole(NormalityDrawing drawing)
    {
        // Rows between normal and uniform: some are accepted, some are not, by what was drawn.
        var random = new Random(3);
        var rows = AnalysisRows.Normal(1, 60 * Length).Select(value => value + (random.NextSingle() * 5)).ToArray();
        AnalysisRows.EqualInParts(
            60,
            first => new NormalityTest(s_shape, 5, drawing, 200, first),
            (analysis, first, count) => analysis.Add(rows.Rows(Length, first, count)),
            (whole, merged) =>
            {
                Assert.Equal(whole.Value, merged.Value);
                Assert.True(whole.Value.Accepted > 0 && whole.Value.Rejected > 0);
            });
    }

    [Fact]
    public void Merge_RowsThatDoNotFollow_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new NormalityTest(s_shape).Merge(new NormalityTest(s_shape, firstRow: 1)));
        Assert.Throws<ArgumentException>(() => new NormalityTest(s_shape).Merge(new NormalityTest(s_shape, seed: 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NormalityTest(s_shape, limit: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NormalityTest(s_shape, firstRow: -1));
    }
}
