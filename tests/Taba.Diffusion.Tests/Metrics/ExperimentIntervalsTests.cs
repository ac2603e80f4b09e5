using System.Diagnostics;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.Uncertainty;
using Taba.Diffusion.Tests.Metrics.Uncertainty;

namespace Taba.Diffusion.Tests.Metrics;

/// <summary>The intervals that stand beside the numbers of metrics.json.</summary>
public sealed class ExperimentIntervalsTests(ITestOutputHelper output)
{
    static readonly StateShape s_shape = new(1, 32, 32);

    [Fact]
    public void Compute_OfCorrelatedLatents_ToldApartFromTheirNoise()
    {
        var noise = Gaussians.White(s_shape, 128, 1);
        var numbers = Compute(noise, Gaussians.Blurred(s_shape, noise, 0.6f));
        Assert.Equal(
            ["correlation.mean", "correlation_above_noise", "latent_stats.std", "noise_correlation.mean", "reconstruction_error_noise"],
            numbers.Intervals.Select(i => i.Key).Order());
        foreach (var key in (string[])["correlation.mean", "latent_stats.std", "noise_correlation.mean", "reconstruction_error_noise"])
        {
            var value = key.Split('.').Aggregate((JsonNode)numbers.Metrics, (at, name) => at[name]!).GetValue<double>();
            var (low, high) = (Number(numbers, key, "low"), Number(numbers, key, "high"));
            Assert.True(low < value && value < high && high - low < 0.2 * value, $"{key}: {low} {value} {high}");
        }
        Assert.True(Number(numbers, "correlation_above_noise", "low") > 0.1);
        Assert.True(Number(numbers, "correlation_above_noise", "p_value") < 1e-6);
        Assert.Equal(RowGroups.LineCount, numbers.Intervals["correlation.mean"]!["replicates"]!.AsArray().Count);
        // What a Gaussian of this deviation has: 1.166 / sqrt(2 n), though neighbours make it a little more.
        var width = Number(numbers, "latent_stats.std", "high") - Number(numbers, "latent_stats.std", "low");
        Assert.InRange(width, 0.005, 0.025);
    }

    [Fact]
    public void Compute_OfOtherNoise_IsNotToldApart()
    {
        var numbers = Compute(Gaussians.White(s_shape, 64, 1), Gaussians.White(s_shape, 64, 2));
        Assert.True(Number(numbers, "correlation_above_noise", "low") < 0);
        Assert.True(Number(numbers, "correlation_above_noise", "high") > 0);
    }

    [Fact]
    public void Compute_OfFewRows_HasNoIntervals()
    {
        Assert.Empty(Compute(Gaussians.White(s_shape, 31, 1), Gaussians.White(s_shape, 31, 2)).Intervals);
        Assert.Empty(Compute([], []).Intervals);
    }

    [Fact]
    public void Compute_OfRowsThatHoldNaN_HasNoIntervals()
    {
        var latents = Gaussians.White(s_shape, 64, 2);
        latents[5] = float.NaN;
        Assert.Equal(["noise_correlation.mean"], Compute(Gaussians.White(s_shape, 64, 1), latents).Intervals.Select(i => i.Key));
    }

    /// <summary>What intervals cost: told, and bounded far above what is measured (docs/design/uncertainty.md has more sizes).</summary>
    [Theory]
    [InlineData(64, 32)]
    [InlineData(2048, 32)]
    public void Compute_OfManyRows_TakesLittleMoreThanTheMetricsAlone(int count, int side)
    {
        var shape = new StateShape(3, side, side);
        var values = Gaussians.White(shape, count, 1);
        var rows = new InMemory("a", shape, values);
        var (alone, whole) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (var i = 0; i < 3; i++)
        {
            var start = Stopwatch.GetTimestamp();
            using (var plain = new PatchCorrelation(shape))
            {
                var (moments, error) = (new MomentsAccumulator(), new MeanAbsoluteError());
                foreach (var chunk in rows.Chunks(CancellationToken.None))
                {
                    moments.Add(chunk.Span);
                    plain.Add(chunk.Span);
                    error.Add(chunk.Span, chunk.Span);
                }
                plain.Compute();
            }
            alone = Min(alone, Stopwatch.GetElapsedTime(start));
            start = Stopwatch.GetTimestamp();
            new ExperimentMetrics().Compute(null, rows, rows, rows, CancellationToken.None);
            whole = Min(whole, Stopwatch.GetElapsedTime(start));
        }
        output.WriteLine($"{count} {side}: {alone.TotalMilliseconds:0} ms alone, {whole.TotalMilliseconds:0} ms with intervals");
        Assert.True(whole < TimeSpan.FromSeconds(2) + 3 * alone);

        static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
    }

    static double Number(ExperimentNumbers numbers, string key, string name) => numbers.Intervals[key]![name]!.GetValue<double>();

    static ExperimentNumbers Compute(float[] noise, float[] latents) => new ExperimentMetrics().Compute(
        new InMemory("noise", s_shape, noise), new InMemory("latents", s_shape, latents), null, null, CancellationToken.None);

    sealed class InMemory(string identity, StateShape shape, float[] values) : IMetricRows
    {
        public string Identity => identity;

        public StateShape Shape => shape;

        public long Rows => values.Length / shape.Elements;

        public int RowLength => (int)shape.Elements;

        public void Read(long first, Span<float> destination) =>
            values.AsSpan((int)first * RowLength, destination.Length).CopyTo(destination);
    }
}
