using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Sampling;

public sealed class DdimUpdateTests
{
    static readonly AdmSchedule Schedule = new(1000, NoiseSchedule.Linear, false, 10);

    [Fact]
    public void Step_OfMixedRows_IsThatOfEachRowAlone()
    {
        using var scope = NewDisposeScope();
        DdimCoefficients[] rows =
        [
            Clamped(Direction.Sampling, 0),
            Clamped(Direction.Inversion, 3),
            DdimCoefficients.From(Schedule.Step(Direction.Inversion, 2), PredictionRule.ClampAndRederive, epsGiven: true),
            DdimCoefficients.From(Schedule.Step(Direction.Sampling, 7), PredictionRule.Plain),
            DdimCoefficients.Padding,
        ];
        var (x, eps) = Batch(rows.Length);
        Assert.Equal(ClampMix.Some, DdimCoefficients.MixOf(rows));
        var together = DdimUpdate.Step(x, eps, DdimCoefficients.ToTensor(rows, CPU), ClampMix.Some);

        for (var i = 0; i < rows.Length; i++)
        {
            var alone = DdimUpdate.Step(
                x.narrow(0, i, 1).contiguous(), eps.narrow(0, i, 1).contiguous(), DdimCoefficients.ToTensor([rows[i]], CPU), DdimCoefficients.MixOf([rows[i]]));
            Assert.Equal(Values(alone.XNext), Values(together.XNext.narrow(0, i, 1)));
            Assert.Equal(Values(alone.EpsUsed), Values(together.EpsUsed.narrow(0, i, 1)));
            Assert.Equal(Values(alone.PredXstart), Values(together.PredXstart.narrow(0, i, 1)));
        }
    }

    [Fact]
    public void Step_WithGivenEps_UsesItUnchangedAndDoesNotClamp()
    {
        using var scope = NewDisposeScope();
        var given = DdimCoefficients.From(Schedule.Step(Direction.Inversion, 5), PredictionRule.ClampAndRederive, epsGiven: true);
        var (x, eps) = Batch(2);
        var result = DdimUpdate.Step(x, eps, DdimCoefficients.ToTensor([given, given], CPU), ClampMix.Some);

        Assert.Equal(Values(eps), Values(result.EpsUsed));
        Assert.Contains(Values(result.PredXstart), value => Math.Abs(value) > 1);
    }

    [Fact]
    public void Step_OfTheLastInversionStep_IsTheEpsItself()
    {
        using var scope = NewDisposeScope();
        var last = Clamped(Direction.Inversion, 9);
        var (x, eps) = Batch(2);
        var result = DdimUpdate.Step(x, eps, DdimCoefficients.ToTensor([last, last], CPU), ClampMix.All);

        Assert.Equal(Values(result.EpsUsed), Values(result.XNext));
    }

    [Fact]
    public void Step_OfTheLastSamplingStep_IsTheClampedImage()
    {
        using var scope = NewDisposeScope();
        var last = Clamped(Direction.Sampling, 9);
        var (x, eps) = Batch(2);
        var result = DdimUpdate.Step(x, eps, DdimCoefficients.ToTensor([last, last], CPU), ClampMix.All);

        Assert.Equal(Values(result.PredXstart), Values(result.XNext));
        Assert.All(Values(result.XNext), value => Assert.InRange(value, -1, 1));
    }

    [Fact]
    public void Step_OfAnyMix_LeavesItsInputsAndNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        var (x, eps) = Batch(3);
        var (xBefore, epsBefore) = (Values(x), Values(eps));
        var coefficients = DdimCoefficients.ToTensor([Clamped(Direction.Sampling, 1), Clamped(Direction.Sampling, 2), Clamped(Direction.Inversion, 1)], CPU);
        var count = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

        foreach (var mix in Enum.GetValues<ClampMix>())
        {
            var result = DdimUpdate.Step(x, eps, coefficients, mix);
            result.XNext.Dispose();
            result.PredXstart.Dispose();
            if (!ReferenceEquals(result.EpsUsed, eps))
                result.EpsUsed.Dispose();
        }

        Assert.Equal(count, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
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
    public void From_OfAnImpossibleLevel_Throws(double alphaBar, double next) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => DdimCoefficients.From(new DdimStep(0, alphaBar, next), PredictionRule.ClampAndRederive));

    [Fact]
    public void From_OfACleanImageUnderThePlainRule_IsAllowed() =>
        Assert.Equal(0, DdimCoefficients.From(new DdimStep(0, 1, 0.9), PredictionRule.Plain).SqrtRecipM1);

    [Fact]
    public void Pack_IntoTooShortABuffer_Throws() =>
        Assert.Throws<ArgumentException>(() => DdimCoefficients.Pack([DdimCoefficients.Padding], new double[DdimCoefficients.Columns - 1]));

    static DdimCoefficients Clamped(Direction direction, int k) => DdimCoefficients.From(Schedule.Step(direction, k), Schedule.Rule(direction));

    static (Tensor X, Tensor Eps) Batch(int rows)
    {
        using var generator = new Generator(5, CPU);
        return (randn([rows, 3, 8, 8], ScalarType.Float32, CPU, generator: generator), randn([rows, 3, 8, 8], ScalarType.Float32, CPU, generator: generator));
    }

    static float[] Values(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
