using Taba.Diffusion.Metrics;

namespace Taba.Diffusion.Tests.Metrics;

public sealed class MetricRowsTests
{
    [Theory]
    [InlineData(3, 32, 42)]
    [InlineData(3, 64, 16)]
    [InlineData(3, 256, 16)]
    [InlineData(1, 1, 4096)]
    public void RowsAtOnce_Shape_IsHalfAMebibyteOrSixteenRows(int channels, int side, int expected) =>
        Assert.Equal(expected, IMetricRows.RowsAtOnce(new StateShape(channels, side, side)));

    [Fact]
    public void Together_TensorsOfDifferentShapes_GivesTheSameRowsOfEach()
    {
        var (small, large) = (new Counted(new(1, 2, 2)), new Counted(new(3, 64, 64)));

        var chunks = new IMetricRows[] { small, large }.Together(5, 37, CancellationToken.None)
            .Select(chunk => (chunk[0].Length / 4, chunk[0].Span[0], chunk[1].Span[0], chunk[1].Span[^1])).ToList();

        Assert.Equal([(16, 5, 5, 20), (16, 21, 21, 36), (5, 37, 37, 41)], chunks);
    }

    [Fact]
    public void Chunks_MoreRowsThanThereAre_GivesThoseThatThereAre() =>
        Assert.Equal(Counted.Count - 90, new Counted(new(1, 1, 1)).Chunks(90, 1000, CancellationToken.None).Sum(chunk => chunk.Length));

    /// <summary>Each value is the number of its row.</summary>
    sealed class Counted(StateShape shape) : IMetricRows
    {
        public const int Count = 100;

        public string Identity => "counted";

        public StateShape Shape => shape;

        public long Rows => Count;

        public int RowLength => (int)shape.Elements;

        public void Read(long first, Span<float> destination)
        {
            for (var i = 0; i < destination.Length; i++)
                destination[i] = first + i / RowLength;
        }
    }
}
