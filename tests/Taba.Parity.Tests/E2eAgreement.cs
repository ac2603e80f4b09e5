using System.Text.Json;

namespace Taba.Parity.Tests;

/// <summary>How closely a run must follow the reference's (fixtures/INDEX.md).</summary>
static class E2eAgreement
{
    const double Tolerance = 1e-3;
    const double UsualTolerance = 2e-4;
    const double UsualShare = 0.99;
    const double UsualShareGuided = 0.98;
    const double SummaryTolerance = 1e-2;
    const double MetricTolerance = 1e-3;
    const double CorrelationTolerance = 1e-2;

    /// <summary>
    /// Requires |a - b| ≤ 1e-3·max(1, std b) of every element, and 2e-4 of all but a few: more than that is no rounding.
    /// </summary>
    /// <param name="actual">Ours.</param>
    /// <param name="expected">The reference's.</param>
    /// <param name="what">For messages.</param>
    /// <param name="guidance">
    /// The scale of guidance of a run that inverts its own guided samples; 2e-4 is multiplied by it, 1e-3 by half of it: the
    /// reference itself is further than the tolerance from exact arithmetic there (<see cref="GuidedRoundingTests"/>).
    /// </param>
    /// <returns>The largest difference over max(1, std b).</returns>
    public static double Close(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, string what, double guidance = 1)
    {
        var (tolerance, usualTolerance) = (Tolerance * Math.Max(1, guidance / 2), UsualTolerance * Math.Max(1, guidance));
        Assert.Equal(expected.Length, actual.Length);
        var scale = Math.Max(1, Summary(expected).Std);
        var (largest, usual) = (0.0, 0);
        for (var i = 0; i < expected.Length; i++)
        {
            var difference = Math.Abs((double)actual[i] - expected[i]) / scale;
            Assert.True(
                difference <= tolerance,
                $"{what}: element {i} is {actual[i]:g9}, expected {expected[i]:g9}, which differs by {difference:g3} of max(1, std).");
            usual += difference <= usualTolerance ? 1 : 0;
            largest = Math.Max(largest, difference);
        }
        Assert.True(
            usual >= (guidance > 1 ? UsualShareGuided : UsualShare) * expected.Length,
            $"{what}: only {usual} of {expected.Length} elements are within {usualTolerance}; the largest difference is {largest:g3}.");
        return largest;
    }

    /// <summary>Requires the mean, deviation and largest magnitude that the case lists of a tensor.</summary>
    public static void SameSummary(ReadOnlySpan<float> actual, JsonElement listed, string what)
    {
        var (mean, std, absmax) = Summary(actual);
        Near(mean, "mean");
        Near(std, "std");
        Near(absmax, "absmax");

        void Near(double value, string name)
        {
            var expected = listed.GetProperty(name).GetDouble();
            Assert.True(Math.Abs(value - expected) <= SummaryTolerance * Math.Max(
                1, Math.Abs(expected)), $"{what}: {name} is {value:g6}, expected {expected:g6}.");
        }
    }

    /// <summary>Requires the reference's metrics, and parameters of the same names; ours may have more of both.</summary>
    public static void SameMetrics(JsonElement actual, JsonElement expected, string what)
    {
        foreach (var parameter in expected.GetProperty("_params").EnumerateObject())
            Assert.True(actual.GetProperty("_params").TryGetProperty(parameter.Name, out _), $"{what}: _params lacks {parameter.Name}.");
        Numbers(actual.GetProperty("metrics"), expected.GetProperty("metrics"), MetricTolerance, $"{what} metrics");
    }

    static void Numbers(JsonElement actual, JsonElement expected, double tolerance, string what)
    {
        foreach (var metric in expected.EnumerateObject())
        {
            var name = $"{what}.{metric.Name}";
            Assert.True(actual.TryGetProperty(metric.Name, out var value), $"{name} is missing.");
            if (metric.Value.ValueKind == JsonValueKind.Object)
            {
                Numbers(value, metric.Value, metric.Name == "correlation" ? CorrelationTolerance : tolerance, name);
                continue;
            }
            if (metric.Value.ValueKind == JsonValueKind.String)
            {
                Assert.Equal(metric.Value.GetString(), value.GetString());
                continue;
            }
            var (a, b) = (value.GetDouble(), metric.Value.GetDouble());
            Assert.True(Math.Abs(a - b) <= tolerance * Math.Abs(b), $"{name} is {a:g9}, expected {b:g9}.");
        }
    }

    static (double Mean, double Std, double AbsMax) Summary(ReadOnlySpan<float> values)
    {
        var (sum, absmax) = (0.0, 0.0);
        foreach (var value in values)
        {
            sum += value;
            absmax = Math.Max(absmax, Math.Abs(value));
        }
        var mean = sum / values.Length;
        var squares = 0.0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return (mean, Math.Sqrt(squares / (values.Length - 1)), absmax);
    }
}
