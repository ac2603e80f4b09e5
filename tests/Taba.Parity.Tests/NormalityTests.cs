using System.Globalization;
using System.Text.Json;
using Taba.Diffusion;
using Taba.Diffusion.Metrics.Normality;

namespace Taba.Parity.Tests;

/// <summary>The test of normality against the reference's statistics, p-values, draws and counts.</summary>
public sealed class NormalityTests
{
    const double StatisticTolerance = 1e-6;

    // The seed of the fixture, set before each of its counts.
    const ulong Seed = 71;

    static readonly StateShape s_shape = new(3, 16, 16);
    static readonly Lazy<ReferenceTensors> s_inputs = new(() => ReferenceTensors.Load("metrics/inputs.safetensors"));
    static readonly Lazy<ReferenceTensors> s_outputs = new(() => ReferenceTensors.Load("metrics/outputs.safetensors"));
    static readonly Lazy<JsonElement> s_expected = new(
        () => JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At("metrics/expected.json"))).RootElement.GetProperty("scalars"));

    [Theory]
    [InlineData("noise")]
    [InlineData("latents")]
    [InlineData("samples")]
    public void ShapiroWilk_OfWholeRows_AgreesWithTheReference(string tensor)
    {
        var probabilities = s_expected.Value.GetProperty("normality.normal_dist_test").GetProperty($"{tensor}[i]");
        var hasStatistics = s_expected.Value.GetProperty("scipy.stats.shapiro statistic")
            .TryGetProperty($"{tensor}[i]", out var statistics);
        Assert.Equal(tensor != "latents", hasStatistics);
        var test = new ShapiroWilk(768);
        for (var row = 0; row < probabilities.GetArrayLength(); row++)
        {
            var (w, p) = test.Test(Values(tensor, row * 768, 768));
            SameProbability(probabilities[row].GetDouble(), p);
            if (hasStatistics)
                Assert.Equal(statistics[row].GetDouble(), w, StatisticTolerance);
        }
    }

    [Fact]
    public void ShapiroWilk_OfFewValues_AgreesWithTheReference()
    {
        var statistics = s_expected.Value.GetProperty("scipy.stats.shapiro statistic");
        var cases = statistics.GetProperty("first_n_of_noise[0]").EnumerateObject().ToList();
        Assert.Equal(8, cases.Count);
        foreach (var entry in cases)
        {
            var count = int.Parse(entry.Name, CultureInfo.InvariantCulture);
            var (w, p) = new ShapiroWilk(count).Test(Values("noise", 0, count));
            Assert.Equal(entry.Value[0].GetDouble(), w, StatisticTolerance);
            SameProbability(entry.Value[1].GetDouble(), p);
        }
    }

    [Fact]
    public void ValueDrawing_AsUpstream_DrawsTheReferencesIndices()
    {
        var drawn = new double[768];
        new ValueDrawing(NormalityDrawing.Upstream, Seed, 768).Draw(0, [.. Enumerable.Range(0, 768).Select(i => (float)i)], drawn);
        Assert.Equal(s_outputs.Value.Values<long>("stat_test.randint_first").ToArray().Select(index => (double)index), drawn);
    }

    [Theory]
    [InlineData("limit5000", "noise", 5000)]
    [InlineData("latents_limit100", "latents", 100)]
    public void NormalityTest_AsUpstream_CountsWhatTheReferenceDoes(string name, string tensor, int limit)
    {
        var expected = s_expected.Value.GetProperty("normality.stat_test_normality (torch.manual_seed(seed) before)").GetProperty(name);
        var test = new NormalityTest(s_shape, Seed, NormalityDrawing.Upstream, limit);
        test.Add(s_inputs.Value.Values<float>(tensor));
        Assert.Equal(
            expected.EnumerateObject().Select(entry => (entry.Name, entry.Value.GetDouble())),
            test.Value.Named().Select(entry => (entry.Key, entry.Value)));
    }

    static double[] Values(string tensor, int from, int count) =>
        [.. s_inputs.Value.Values<float>(tensor).Slice(from, count).ToArray().Select(value => (double)value)];

    static void SameProbability(double expected, double actual) =>
        Assert.True(
            Math.Abs(expected - actual) <= Math.Max(1e-6, 1e-3 * expected) && (expected > 1e-3 || Math.Abs((actual / expected) - 1) < 0.01),
            $"p is {expected:R}, not {actual:R}");
}
