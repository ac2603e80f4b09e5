using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Sweeps;

public sealed class ProgressMeterTests
{
    readonly FakeTimeProvider _time = new();

    [Fact]
    public void Observe_FirstSnapshot_KnowsNoRate()
    {
        var meter = Observed((10, 100));
        Assert.Null(meter.Rate);
        Assert.Null(meter.Left);
    }

    [Fact]
    public void Observe_SteadyWork_GivesRateAndTimeLeft()
    {
        var meter = Observed((0, 100));
        Later(meter, 4, 20, 100);
        Assert.Equal(5, meter.Rate!.Value, 6);
        Assert.Equal(16, meter.Left!.Value.TotalSeconds, 6);
    }

    [Fact]
    public void Observe_AfterASlowStart_ForgetsIt()
    {
        var meter = Observed((0, 10_000));
        Later(meter, 60, 0, 10_000);
        for (var second = 1; second <= 40; second++)
            Later(meter, 1, 10 * second, 10_000);
        Assert.Equal(10, meter.Rate!.Value, 6);
    }

    [Fact]
    public void Observe_StepsAreLost_KeepsTheRateOfBeforeAndLeavesTheOutageOut()
    {
        var meter = Observed((0, 1000));
        for (var second = 1; second <= 20; second++)
            Later(meter, 1, 10 * second, 1000);
        // Its silo is gone: for eight seconds nothing is done, and then it shows that half was lost.
        Later(meter, 8, 200, 1000);
        Assert.True(meter.Rate < 10);
        Later(meter, 0.1, 100, 1000);
        Assert.Equal(10, meter.Rate!.Value, 6);
        Assert.Equal(90, meter.Left!.Value.TotalSeconds, 6);
    }

    [Fact]
    public void Observe_Paused_KnowsNoTimeLeftAndGoesOnWithTheRateOfBefore()
    {
        var meter = Observed((0, 1000));
        Later(meter, 10, 100, 1000);
        Later(meter, 0, 100, 1000, runs: false);
        Assert.Null(meter.Rate);
        Assert.Null(meter.Left);
        Assert.Equal(10, meter.Known!.Value, 6);

        Later(meter, 3600, 100, 1000, runs: false);
        Later(meter, 1, 100, 1000);
        Assert.Equal(10, meter.Rate!.Value, 6);
    }

    [Fact]
    public void Observe_NothingDoneForLong_KnowsNoRate()
    {
        var meter = Observed((0, 1000));
        Later(meter, 10, 100, 1000);
        for (var second = 0; second < 45; second++)
            Later(meter, 1, 100, 1000);
        Assert.Null(meter.Rate);
        Assert.Null(meter.Left);
    }

    [Fact]
    public void Observe_AMeterThatGoesOn_BeginsWithTheRateOfBefore()
    {
        var meter = new ProgressMeter(_time, rate: 10);
        meter.Observe(500, 1000, runs: true);
        Assert.Equal(50, meter.Left!.Value.TotalSeconds, 6);
        for (var second = 1; second <= 61; second++)
            Later(meter, 1, 500 + 2 * second, 1000);
        Assert.Equal(2, meter.Rate!.Value, 6);
    }

    [Fact]
    public void Observe_NothingLeft_IsDone() => Assert.Equal(TimeSpan.Zero, Observed((0, 0)).Left);

    [Fact]
    public void Observe_ManyTimesASecond_KeepsTheWindow()
    {
        var meter = Observed((0, 1e6));
        for (var i = 1; i <= 4000; i++)
            Later(meter, 0.01, i, 1e6);
        Assert.Equal(100, meter.Rate!.Value, 3);
    }

    ProgressMeter Observed((double Done, double Planned) first)
    {
        var meter = new ProgressMeter(_time);
        meter.Observe(first.Done, first.Planned, runs: true);
        return meter;
    }

    void Later(ProgressMeter meter, double seconds, double done, double planned, bool runs = true)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        meter.Observe(done, planned, runs);
    }
}
