using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Sampling;

/// <summary>Clamped, thresholded and plain rows in one batch, against the definitions in float64.</summary>
public sealed class ThresholdTests
{
    static readonly PredictionBounds s_bounds = new(0.8, 0.95, 1.5);
    static readonly DdimStep s_level = new(500, 0.4, 0.6);

    [Fact]
    public void Step_RowsOfEveryRule_EachByItsDefinition()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        PredictionRule[] rules = [PredictionRule.Threshold, PredictionRule.Clamp, PredictionRule.Plain, PredictionRule.Threshold,
            PredictionRule.ClampAndRederive];
        var x = randn([rules.Length, 3, 8, 8], generator: generator);
        using var tenth = 0.1.ToScalar();
        // The fourth row is small: its quantile is below one, where thresholding leaves it as it is.
        x[3].mul_(tenth);
        var eps = randn(x.shape, generator: generator);
        eps[3].mul_(tenth);
        using var numbers = BatchNumbers.From([.. rules.Select(rule => StepNumbers.From(s_level, rule, s_bounds))], CPU);

        var result = Ddim.Step(x, eps, numbers);

        for (var row = 0; row < rules.Length; row++)
        {
            var (expectedNext, expectedXstart) = ByDefinition(x[row].data<float>().ToArray(), eps[row].data<float>().ToArray(), rules[row]);
            Close(expectedXstart, result.PredXstart[row], $"x0 of row {row}");
            Close(expectedNext, result.XNext[row], $"next of row {row}");
        }
        Assert.Equal(1f, result.PredXstart[0].abs().max().item<float>(), 1e-6f);
        Assert.True(result.PredXstart[2].abs().max().item<float>() > 1.5f);
    }

    [Fact]
    public void Step_HalfState_RoundsAfterEveryOperation()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var x = randn([2, 3, 4, 4], generator: generator).to(ScalarType.Float16).to(ScalarType.Float32);
        var eps = randn(x.shape, generator: generator);
        StepNumbers[] rows =
            [StepNumbers.From(s_level, PredictionRule.Plain, PredictionBounds.Unit),
            StepNumbers.From(s_level, PredictionRule.Clamp, PredictionBounds.Unit)];
        using var numbers = BatchNumbers.From(rows, CPU, Ddim.Arithmetic(ScalarType.Float16));

        var result = Ddim.Step(x, eps, numbers, ScalarType.Float16);

        var (xs, es, actual) = (x.data<float>().ToArray(), eps.data<float>().ToArray(), result.XNext.data<float>().ToArray());
        var (a, b, c, d) = (MathF.Sqrt(0.4f), MathF.Sqrt(0.6f), MathF.Sqrt(0.6f), MathF.Sqrt(0.4f));
        for (var i = 0; i < xs.Length; i++)
        {
            var e = Half(es[i]);
            var xStart = Half(Half(xs[i] - Half(b * e)) / a);
            if (i >= xs.Length / 2)
                xStart = Math.Clamp(xStart, -1, 1);
            Assert.Equal(Half(Half(c * xStart) + Half(d * e)), actual[i], 2e-3f);
            Assert.Equal(Half(actual[i]), actual[i]);
        }

        static float Half(float value) => (float)(Half)value;
    }

    [Fact]
    public void Set_TwoThresholdRatios_Refuses()
    {
        using var numbers = new BatchNumbers(2, CPU);
        Assert.Throws<ArgumentException>(() => numbers.Set(
        [
            StepNumbers.From(s_level, PredictionRule.Threshold, s_bounds),
            StepNumbers.From(s_level, PredictionRule.Threshold, s_bounds with { ThresholdRatio = 0.9 }),
        ]));
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Round_ManyValues_AsLibtorchDoes(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var values = randn([4096], generator: generator).mul(tensor(100f));
        var expected = values.to(type).to(ScalarType.Float32).data<float>().ToArray();
        Assert.Equal(expected, values.data<float>().ToArray().Select(v => StateRounding.Round(v, type)));
    }

    static (double[] Next, double[] Xstart) ByDefinition(float[] x, float[] eps, PredictionRule rule)
    {
        var xStart = x.Zip(eps, (v, e) => (v - (Math.Sqrt(1 - s_level.AlphaBar) * e)) / Math.Sqrt(s_level.AlphaBar)).ToArray();
        var used = eps.Select(e => (double)e).ToArray();
        switch (rule)
        {
            case PredictionRule.Threshold:
                var sorted = xStart.Select(Math.Abs).Order().ToArray();
                var place = s_bounds.ThresholdRatio * (sorted.Length - 1);
                var (below, part) = ((int)place, place - Math.Floor(place));
                var s = Math.Clamp(sorted[below] + (part * (sorted[below + 1] - sorted[below])), 1, s_bounds.ThresholdMax);
                xStart = [.. xStart.Select(v => Math.Clamp(v, -s, s) / s)];
                break;
            case PredictionRule.Clamp:
                xStart = [.. xStart.Select(v => Math.Clamp(v, -s_bounds.ClipRange, s_bounds.ClipRange))];
                break;
            case PredictionRule.ClampAndRederive:
                xStart = [.. xStart.Select(v => Math.Clamp(v, -s_bounds.ClipRange, s_bounds.ClipRange))];
                used = [.. x.Zip(xStart, (v, c) => ((v / Math.Sqrt(s_level.AlphaBar)) - c) / Math.Sqrt((1 / s_level.AlphaBar) - 1))];
                break;
        }
        return ([.. xStart.Zip(used, (v, e) => (Math.Sqrt(s_level.AlphaBarNext) * v) + (Math.Sqrt(1 - s_level.AlphaBarNext) * e))], xStart);
    }

    static void Close(double[] expected, Tensor actual, string what)
    {
        var values = actual.contiguous().data<float>().ToArray();
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - values[i]) <= 2e-6 * Math.Max(
                1, Math.Abs(expected[i])), $"{what}: element {i} is {values[i]}, expected {expected[i]}");
    }
}
