using System.Collections.Immutable;
using Taba.Client.Progress;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

public sealed class ProgressTests
{
    readonly ManualTime _time = new();

    [Fact]
    public void Observe_FirstSnapshot_KnowsNoRate()
    {
        var reading = new ProgressMeter(_time).Observe(Status(10, 100));
        Assert.Null(reading.Rate);
        Assert.Null(reading.Left);
        Assert.Equal(0.1, reading.Fraction, 6);
        Assert.Equal("unknown", Quantities.Duration(reading.Left));
    }

    [Fact]
    public void Observe_SteadyWork_GivesRateAndTimeLeft()
    {
        var meter = new ProgressMeter(_time);
        meter.Observe(Status(0, 100));
        _time.Advance(4);
        var reading = meter.Observe(Status(20, 100));
        Assert.Equal(5, reading.Rate!.Value, 6);
        Assert.Equal(16, reading.Left!.Value.TotalSeconds, 6);
    }

    [Fact]
    public void Observe_AfterASlowStart_ForgetsIt()
    {
        var meter = new ProgressMeter(_time);
        meter.Observe(Status(0, 10_000));
        _time.Advance(60);
        meter.Observe(Status(0, 10_000));
        ProgressReading reading = null!;
        for (var second = 1; second <= 40; second++)
        {
            _time.Advance(1);
            reading = meter.Observe(Status(10 * second, 10_000));
        }
        Assert.Equal(10, reading.Rate!.Value, 6);
    }

    [Fact]
    public void Observe_WorkThatIsMadeAgain_DoesNotGiveANegativeRate()
    {
        var meter = new ProgressMeter(_time);
        meter.Observe(Status(50, 100));
        _time.Advance(5);
        var reading = meter.Observe(Status(40, 100));
        Assert.Null(reading.Rate);
        Assert.Null(reading.Left);
    }

    [Fact]
    public void Observe_EverythingReused_IsDone()
    {
        var reading = new ProgressMeter(_time).Observe(Status(0, 0));
        Assert.Equal(1, reading.Fraction);
        Assert.Equal(TimeSpan.Zero, reading.Left);
    }

    [Theory]
    [InlineData(12.2, "13 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(7260, "2 h 1 min")]
    [InlineData(400_000, "4 d 15 h")]
    public void Duration_OfSeconds_IsReadable(double seconds, string expected) =>
        Assert.Equal(expected, Quantities.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(10, "10 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(3.0 * (1L << 40), "3.0 TiB")]
    public void Bytes_OfANumber_AreReadable(double bytes, string expected) => Assert.Equal(expected, Quantities.Bytes(bytes));

    static SweepStatus Status(double done, double planned) => new(
        "id", 1, SweepState.Running, [new StageStatus(
            "k", StageKind.Sample, 10, RowSet.Empty, 0, 0, 1, planned, done, ImmutableArray<SampleFailure>.Empty, null)], null);

    /// <summary>A clock that a test moves.</summary>
    sealed class ManualTime : TimeProvider
    {
        long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(double seconds) => _ticks += (long)(seconds * TimeSpan.TicksPerSecond);
    }
}
