namespace Taba.Abstractions.Tests;

public sealed class MeasureSettingTests
{
    static readonly MeasureSetting s_setting = new(
        ["paper"],
        [
            new("noise", "noise", new NoiseRows(NoiseLayout.Upstream, 1, Dtype.Float32, 110), new(3, 8, 8), Dtype.Float32),
            new("latents", "latents", new StageRows("l"), new(3, 8, 8), Dtype.Float32),
            new("samples", "samples", new StageRows("s"), new(3, 8, 8), Dtype.Float32),
        ],
        new RowRange(10, 110), OfAll: false);

    [Fact]
    public void RowsOf_AllBlocks_AreTheRunsRowsInOrderAndTheGroupsOfIntervals()
    {
        var blocks = Enumerable.Range(0, MeasureSetting.Blocks).Select(s_setting.RowsOf).ToList();

        Assert.Equal(new RowRange(10, 110), new(blocks[0].Start, blocks[^1].End));
        Assert.All(blocks.Zip(blocks.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
        for (var row = 0; row < 100; row++)
            Assert.Equal(row * MeasureSetting.Blocks / 100, blocks.FindIndex(b => b.Contains(new(10 + row, 11 + row))));
    }

    [Fact]
    public void Ready_RowsOfInputs_AreBlocksThatHaveAllTheirs()
    {
        var spec = Spec(s_setting);

        Assert.Equal(["l", "s"], spec.InputKeys);
        Assert.Equal(RowSet.Of(new RowRange(0, 3)), spec.Ready(RowSet.Of(new RowRange(0, s_setting.RowsOf(2).End))));
        Assert.Equal(RowSet.Of(new RowRange(0, 3)), spec.Ready(RowSet.Of(new RowRange(0, s_setting.RowsOf(3).End - 1))));
        Assert.Equal(RowSet.Of(new RowRange(0, 16)), spec.Ready(RowSet.Of(new RowRange(0, 200))));
        var last = s_setting.RowsOf(2).End;
        Assert.Equal(RowSet.Of(new RowRange(2, 3)), spec.Without(RowSet.Of(new RowRange(last - 1, last))));
        Assert.True(spec.Without(RowSet.Of(new RowRange(0, 10))).IsEmpty);
    }

    [Fact]
    public void Ready_ComparedWithAll_WaitsForAll()
    {
        var spec = Spec(s_setting with { OfAll = true });

        Assert.True(spec.Ready(RowSet.Of(new RowRange(0, 109))).IsEmpty);
        Assert.Equal(RowSet.Of(new RowRange(0, 16)), spec.Ready(RowSet.Of(new RowRange(0, 110))));
        Assert.Equal(RowSet.Of(new RowRange(0, 16)), spec.Without(RowSet.Of(new RowRange(50, 51))));
    }

    [Fact]
    public void Ready_FewerRowsThanBlocks_HasNoEmptyBlocks()
    {
        var spec = Spec(s_setting with { Rows = new(0, 3) });

        Assert.Equal(3, spec.Ready(RowSet.Of(new RowRange(0, 3))).Count);
    }

    static StageSpec Spec(MeasureSetting measure) => new()
    {
        Kind = StageKind.Measure,
        Model = new("digest", "gaussian", "model.json", null, 3, 8, 8),
        NumInferenceSteps = 0,
        Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
        Input = new StageRows("l"),
        Measure = measure,
    };
}
