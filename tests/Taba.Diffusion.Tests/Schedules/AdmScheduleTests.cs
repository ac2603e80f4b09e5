using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Schedules;

public sealed class AdmScheduleTests
{
    static readonly AdmSchedule s_cosine100 = new(4000, NoiseSchedule.Cosine, rescaleTimesteps: true, 100);

    // Published checkpoints' schedules (facts of the models, not of this code).
    [Theory]
    [InlineData(NoiseSchedule.Linear, 1000, 0, 0.9999, 1e-12)]
    [InlineData(NoiseSchedule.Linear, 1000, 10, 0.99780657, 1e-8)]
    [InlineData(NoiseSchedule.Linear, 1000, 500, 0.077796658, 1e-9)]
    [InlineData(NoiseSchedule.Linear, 1000, 999, 4.0358e-5, 1e-9)]
    [InlineData(NoiseSchedule.Cosine, 4000, 2000, 0.49345398, 1e-8)]
    [InlineData(NoiseSchedule.Cosine, 4000, 3999, 1.518e-10, 1e-13)]
    public void Step_OfAllSteps_PassesThroughKnownLevels(NoiseSchedule curve, int steps, int index, double expected, double tolerance) =>
        Assert.Equal(expected, new AdmSchedule(steps, curve, false, steps).Step(Direction.Inversion, index).AlphaBar, tolerance);

    [Fact]
    public void Step_OfSampling_GoesFromTheNoisiestLevelToTheCleanImage()
    {
        var first = s_cosine100.Step(Direction.Sampling, 0);
        var last = s_cosine100.Step(Direction.Sampling, 99);
        Equal((990, Level(99), Level(98)), first);
        Equal((0, Level(0), 1), last);
    }

    [Fact]
    public void Step_OfInversion_StartsAtLevelZeroAndEndsInPureNoise()
    {
        var first = s_cosine100.Step(Direction.Inversion, 0);
        var last = s_cosine100.Step(Direction.Inversion, 99);
        Equal((0, Level(0), Level(1)), first);
        Equal((990, Level(99), 0), last);
    }

    [Theory]
    [InlineData(true, 990f)]
    [InlineData(false, 3960f)]
    public void Step_Timestep_IsRescaledOnlyWhenAsked(bool rescale, float last) =>
        Assert.Equal(last, new AdmSchedule(4000, NoiseSchedule.Cosine, rescale, 100).Step(Direction.Inversion, 99).Timestep);

    [Fact]
    public void ForwardAlphaBar_OfK_IsTheLevelThatInversionGoesOnFrom()
    {
        for (var k = 1; k <= s_cosine100.MaxForwardBeforeT; k++)
            Assert.Equal(s_cosine100.Step(Direction.Inversion, k).AlphaBar, s_cosine100.ForwardAlphaBar(k));
        Assert.Equal(99, s_cosine100.MaxForwardBeforeT);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void ForwardAlphaBar_OutOfRange_NamesTheLimit(int k)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => s_cosine100.ForwardAlphaBar(k));
        Assert.Contains("must be 1 to 99", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(100)]
    public void Step_OutOfRange_Throws(int k) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => s_cosine100.Step(Direction.Inversion, k));

    [Fact]
    public void IsLegal_AgreesWithWhatTheConstructorAccepts()
    {
        Assert.True(AdmSchedule.IsLegal(4000, 100));
        Assert.False(AdmSchedule.IsLegal(4000, 3000));
        Assert.Contains(50, AdmSchedule.LegalNumInferenceSteps(1000));
        Assert.Throws<ArgumentException>(() => new AdmSchedule(4000, NoiseSchedule.Cosine, true, 3000));
    }

    [Fact]
    public void Parse_OfAnUnknownCurve_NamesTheKnownOnes()
    {
        var error = Assert.Throws<ArgumentException>(() => BetaSchedule.Parse("quadratic"));
        Assert.Contains("'linear' or 'cosine'", error.Message, StringComparison.Ordinal);
    }

    static void Equal((float Timestep, double AlphaBar, double AlphaBarNext) expected, DdimStep step)
    {
        Assert.Equal(expected.Timestep, step.Timestep);
        Assert.Equal(expected.AlphaBar, step.AlphaBar, 1e-12);
        Assert.Equal(expected.AlphaBarNext, step.AlphaBarNext, 1e-12);
    }

    /// <summary>ᾱ_i of the cosine curve at every 40th of 4,000 steps (Nichol and Dhariwal 2021, with β at most 0.999).</summary>
    static double Level(int i) => Enumerable.Range(0, (40 * i) + 1)
        .Aggregate(1.0, (level, t) => level * (1 - Math.Min(1 - (Cosine((t + 1) / 4000.0) / Cosine(t / 4000.0)), 0.999)));

    static double Cosine(double t) => Math.Pow(Math.Cos((t + 0.008) / 1.008 * Math.PI / 2), 2);
}
