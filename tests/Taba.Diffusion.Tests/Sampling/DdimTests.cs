using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Sampling;

public sealed class DdimTests
{
    static readonly AdmSchedule s_schedule = new(1000, NoiseSchedule.Linear, false, 10, singleCoefficients: false);

    /// <summary>Equation 12 for one number, in float64: two steps where x̂0 is clamped, and two where it is not.</summary>
    [Theory]
    [InlineData(Direction.Sampling, 0.7f, -0.4f)]
    [InlineData(Direction.Sampling, 2.5f, 0.3f)]
    [InlineData(Direction.Inversion, 0.3f, 0.2f)]
    [InlineData(Direction.Inversion, -1.4f, 0.1f)]
    public void Step_OfOneRow_IsTheFormulaInFloat64(Direction direction, float x, float eps)
    {
        using var scope = NewDisposeScope();
        var step = s_schedule.Step(direction, 5);

        var x0 = Math.Clamp((x - (Math.Sqrt(1 - step.AlphaBar) * eps)) / Math.Sqrt(step.AlphaBar), -1, 1);
        var e = (x - (Math.Sqrt(step.AlphaBar) * x0)) / Math.Sqrt(1 - step.AlphaBar);
        var next = (Math.Sqrt(step.AlphaBarNext) * x0) + (Math.Sqrt(1 - step.AlphaBarNext) * e);

        using var numbers = BatchNumbers.From([Clamped(direction, 5)], CPU);
        var result = Ddim.Step(tensor(x).view(1, 1, 1, 1), tensor(eps).view(1, 1, 1, 1), numbers);
        Assert.Equal(x0, result.PredXstart.item<float>(), 1e-6);
        Assert.Equal(e, result.EpsUsed.item<float>(), 1e-6);
        Assert.Equal(next, result.XNext.item<float>(), 1e-6);
    }

    [Fact]
    public void Step_OfMixedRows_IsThatOfEachRowAlone()
    {
        using var scope = NewDisposeScope();
        StepNumbers[] rows =
        [
            Clamped(Direction.Sampling, 0),
            Clamped(Direction.Inversion, 3),
            StepNumbers.From(
                s_schedule.Step(Direction.Inversion, 2), PredictionRule.ClampAndRederive, PredictionBounds.Unit, epsGiven: true),
            StepNumbers.From(s_schedule.Step(Direction.Sampling, 7), PredictionRule.Plain, PredictionBounds.Unit),
            StepNumbers.From(s_schedule.Step(Direction.Sampling, 4), PredictionRule.Clamp, PredictionBounds.Unit),
        ];
        var (x, eps) = Batch(rows.Length);
        using var numbers = BatchNumbers.From(rows, CPU);
        var together = Ddim.Step(x, eps, numbers);

        for (var i = 0; i < rows.Length; i++)
        {
            using var own = BatchNumbers.From([rows[i]], CPU);
            var alone = Ddim.Step(x.narrow(0, i, 1).contiguous(), eps.narrow(0, i, 1).contiguous(), own);
            Assert.Equal(Values(alone.XNext), Values(together.XNext.narrow(0, i, 1)));
            Assert.Equal(Values(alone.EpsUsed), Values(together.EpsUsed.narrow(0, i, 1)));
            Assert.Equal(Values(alone.PredXstart), Values(together.PredXstart.narrow(0, i, 1)));
        }
    }

    [Fact]
    public void Step_WithGivenEps_UsesItUnchangedAndDoesNotClamp()
    {
        using var scope = NewDisposeScope();
        var given = StepNumbers.From(
            s_schedule.Step(Direction.Inversion, 5), PredictionRule.ClampAndRederive, PredictionBounds.Unit, epsGiven: true);
        var (x, eps) = Batch(2);
        using var numbers = BatchNumbers.From([given], CPU);
        var result = Ddim.Step(x, eps, numbers);

        Assert.Equal(Values(eps), Values(result.EpsUsed));
        Assert.Contains(Values(result.PredXstart), value => Math.Abs(value) > 1);
    }

    [Fact]
    public void Step_OfTheLastInversionStep_IsTheEpsItself()
    {
        using var scope = NewDisposeScope();
        var (x, eps) = Batch(2);
        using var numbers = BatchNumbers.From([Clamped(Direction.Inversion, 9)], CPU);
        var result = Ddim.Step(x, eps, numbers);

        Assert.Equal(Values(result.EpsUsed), Values(result.XNext));
    }

    [Fact]
    public void Step_OfTheLastSamplingStep_IsTheClampedImage()
    {
        using var scope = NewDisposeScope();
        var (x, eps) = Batch(2);
        using var numbers = BatchNumbers.From([Clamped(Direction.Sampling, 9)], CPU);
        var result = Ddim.Step(x, eps, numbers);

        Assert.Equal(Values(result.PredXstart), Values(result.XNext));
        Assert.All(Values(result.XNext), value => Assert.InRange(value, -1, 1));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    public void Step_OfAnyRule_LeavesItsInputsAndNoTensorBehind(ScalarType state)
    {
        using var scope = NewDisposeScope();
        var (x, eps) = Batch(3);
        var (xBefore, epsBefore) = (Values(x), Values(eps));
        var bounds = new PredictionBounds(1, 0.9, 2);
        foreach (var rule in Enum.GetValues<PredictionRule>())
        {
            using var numbers = BatchNumbers.From(
                [StepNumbers.From(s_schedule.Step(Direction.Sampling, 1), rule, bounds)], CPU, Ddim.Arithmetic(state));
            var count = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
            var result = Ddim.Step(x, eps, numbers, state);
            result.XNext.Dispose();
            result.PredXstart.Dispose();
            result.EpsUsed.Dispose();
            Assert.Equal(count, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }
        Assert.Equal(xBefore, Values(x));
        Assert.Equal(epsBefore, Values(eps));
    }

    [Theory]
    [InlineData(0.0, 0.5)]
    [InlineData(1.0, 0.5)]
    [InlineData(1.5, 0.5)]
    [InlineData(double.NaN, 0.5)]
    [InlineData(0.5, -0.1)]
    [InlineData(0.5, 1.1)]
    public void From_OfAnImpossibleLevel_Throws(double alphaBar, double next) => Assert.Throws<ArgumentOutOfRangeException>(
        () => StepNumbers.From(new DdimStep(0, alphaBar, next), PredictionRule.ClampAndRederive, PredictionBounds.Unit));

    [Fact]
    public void From_OfACleanImageUnderThePlainRule_IsAllowed() =>
        Assert.Equal(0, StepNumbers.From(new DdimStep(0, 1, 0.9), PredictionRule.Plain, PredictionBounds.Unit).SqrtRecipM1);

    [Fact]
    public void Set_OfAnotherNumberOfRows_Throws()
    {
        using var numbers = new BatchNumbers(2, CPU);
        Assert.Throws<ArgumentException>(() => numbers.Set([Clamped(Direction.Sampling, 0)]));
    }

    static StepNumbers Clamped(Direction direction, int k) =>
        StepNumbers.From(s_schedule.Step(direction, k), s_schedule.Rule(direction), PredictionBounds.Unit);

    static (Tensor X, Tensor Eps) Batch(int rows)
    {
        using var generator = new Generator(5, CPU);
        return (randn([rows, 3, 8, 8], ScalarType.Float32, CPU, generator: generator),
            randn([rows, 3, 8, 8], ScalarType.Float32, CPU, generator: generator));
    }

    static float[] Values(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
