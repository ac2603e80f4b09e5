using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Experiments;

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
    public void Compute_ChunksInOneBuffer_EqualTheWhole()
    {
        var shape = new StateShape(1, 16, 16);
        var random = new Random(1);
        var (noise, latents) = (Rows(600), Rows(600));

        var whole = new ExperimentMetrics().Compute(
            new InOneBuffer("n", noise, 600), new InOneBuffer("l", latents, 600), null, null, CancellationToken.None).Metrics;
        var cut = new ExperimentMetrics().Compute(
            new InOneBuffer("n", noise, 7), new InOneBuffer("l", latents, 7), null, null, CancellationToken.None).Metrics;

        foreach (var (name, mean) in new[] { ("correlation", "mean"), ("noise_correlation", "std"), ("latent_stats", "std") })
            Assert.Equal((double)whole[name]![mean]!, (double)cut[name]![mean]!, 1e-12);
        Assert.Equal((double)whole["reconstruction_error_noise"]!, (double)cut["reconstruction_error_noise"]!, 1e-12);

        float[] Rows(int count) =>
            [.. Enumerable.Range(0, (int)(count * shape.Elements)).Select(_ => (float)((random.NextDouble() * 2) - 1))];
    }

    /// <summary>Overwrites a chunk with the next one, as readers of files do.</summary>
    sealed class InOneBuffer(string identity, float[] values, int rowsAtOnce) : IMetricRows
    {
        public string Identity => identity;

        public StateShape Shape => new(1, 16, 16);

        public long Rows => values.Length / Shape.Elements;

        public IEnumerable<ReadOnlyMemory<float>> Chunks(CancellationToken cancellationToken)
        {
            var buffer = new float[rowsAtOnce * Shape.Elements];
            for (var at = 0; at < values.Length; at += buffer.Length)
            {
                var length = Math.Min(buffer.Length, values.Length - at);
                values.AsSpan(at, length).CopyTo(buffer);
                yield return buffer.AsMemory(0, length);
            }
        }
    }
}
