using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.Serialization;
using Taba.Grains.Silos;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Silos;

public sealed class FleetBoardTests
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(2);

    readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    readonly FleetBoard _board;

    public FleetBoardTests() => _board = new(_time, silo => silo.Fare.Draining);

    [Fact]
    public void View_DeviceThatComputesThreeQuartersOfTheTime_SaysSo()
    {
        Run("a", seconds: 40, perSecond: new(Network: 0.75, Overhead: 0.05, OutputWait: 0.1, Linger: 0, Loading: 0));

        var device = Assert.Single(_board.View(new(0, 10), Never).Silos[0].Devices);

        Assert.Equal(0.75f, device.Last.Network, 0.01f);
        Assert.Equal(0.1f, device.Last.OutputWait, 0.01f);
        Assert.Equal(0.1f, device.Last.Idle, 0.01f);
        Assert.Equal("network", device.Last.State);
        // Ten rows in each of the four passes of a second, and sixteen fit.
        Assert.Equal(10f / 16, device.Last.Fill!.Value, 0.01f);
        Assert.Equal(40, device.EvaluationsPerSecond, 0.5);
    }

    [Fact]
    public void View_TenMinutes_HasEachStepWhereItWas()
    {
        Run("a", seconds: 300, perSecond: new(1, 0, 0, 0, 0));
        Run("a", seconds: 120, perSecond: default);
        Run("a", seconds: 60, perSecond: new(0, 0, 0, 0, 1));

        var history = _board.View(new(0, 0) { Device = "a/cpu" }, Never).Device!;

        Assert.Equal((FareRing.Steps, TimeSpan.FromSeconds(10)), (history.Points.Length, history.Step));
        var states = history.Points.Where(p => p.Seconds > 5).Select(p => p.State).ToList();
        Assert.Equal(
            [.. Enumerable.Repeat("network", 30), .. Enumerable.Repeat("idle", 12), .. Enumerable.Repeat("loading", 6)],
            // Each border may be a report late.
            states.Take(48));
        // The last step is under way, and what was before the silo came is not known.
        Assert.Equal(_time.GetUtcNow(), history.From + (history.Points.Length - 1) * history.Step);
        Assert.Equal(0, history.Points[0].Seconds);
    }

    [Fact]
    public void View_FirstPageOfMany_HasThoseWithTroubles()
    {
        foreach (var silo in new[] { "a", "b", "c", "d" })
            _board.Take(Fare(silo, 2, default) with { Draining = silo == "c" });

        Assert.Equal(["c", "a"], _board.View(new(0, 2), Never).Silos.Select(s => s.Fare.Silo.Name));
        Assert.Equal(["b", "d"], _board.View(new(2, 2), Never).Silos.Select(s => s.Fare.Silo.Name));
    }

    [Fact]
    public void View_AfterTenMinutes_ForgetsWhatWasBefore()
    {
        Run("a", seconds: 100, perSecond: new(1, 0, 0, 0, 0));
        Run("a", seconds: 620, perSecond: default);

        Assert.All(_board.View(new(0, 0) { Device = "a/cpu" }, Never).Device!.Points, p => Assert.Equal(0, p.Network));
    }

    [Fact]
    public void View_All_SumsDevicesNotShares()
    {
        // Side by side: one computes all the time, and three do nothing.
        for (var second = 0; second <= 20; second += 2)
        {
            foreach (var (silo, share) in new[] { ("a", 1.0), ("b", 0), ("c", 0), ("d", 0) })
                _board.Take(Fare(silo, second, new(share * second, 0, 0, 0, 0)));
            _time.Advance(s_every);
        }

        var point = _board.View(new(0, 0), Never).All.Points[^2];

        Assert.Equal(0.25f, point.Network, 0.01f);
        Assert.Equal(0.75f, point.Idle, 0.01f);
        Assert.Equal(40, point.Seconds, 8f);
    }

    [Fact]
    public void View_SeveralEnginesAtOnce_SharesAreAtMostOne()
    {
        Run("a", seconds: 30, perSecond: new(1, 0, 0.5, 0, 0.5));

        var last = _board.View(new(0, 1), Never).Silos[0].Devices[0].Last;

        Assert.Equal(1, last.Network + last.Overhead + last.OutputWait + last.Linger + last.Loading + last.Idle, 0.001f);
        Assert.Equal(0, last.Idle, 0.001f);
    }

    [Fact]
    public void Take_AnOlderReport_IsLeftAside()
    {
        Assert.True(_board.Take(Fare("a", 10, default)));
        Assert.False(_board.Take(Fare("a", 10, default)));
        Assert.False(_board.Take(Fare("a", 8, default) with { Draining = true }));

        Assert.False(_board.View(new(0, 1), Never).Silos[0].Fare.Draining);
    }

    [Fact]
    public void Take_SiloThatStartsAnew_CountsFromItsBegin()
    {
        Run("a", seconds: 20, perSecond: new(1, 0, 0, 0, 0));
        // Its counters are at 0 again; what they say is not a day of computing backwards, nor forwards.
        Assert.True(_board.Take(Fare("a", 1, new(1000, 0, 0, 0, 0), worker: "a@2")));
        _time.Advance(s_every);
        _board.Take(Fare("a", 3, new(1000, 0, 0, 0, 0), worker: "a@2"));

        var view = _board.View(new(0, 5) { Device = "a/cpu" }, Never);

        Assert.Equal("a@2", Assert.Single(view.Silos).Fare.Silo.Worker);
        Assert.All(view.Device!.Points, p => Assert.InRange(p.Seconds, 0, 12));
        Assert.Contains(view.Device.Points, p => p.Network > 0.9);
    }

    [Fact]
    public void Take_AfterAGap_SpreadsWhatHappenedOverIt()
    {
        _board.Take(Fare("a", 1, default));
        _time.Advance(TimeSpan.FromSeconds(60));
        _board.Take(Fare("a", 61, new(30, 0, 0, 0, 0)));

        var points = _board.View(new(0, 0) { Device = "a/cpu" }, Never).Device!.Points;

        Assert.All(points[^7..^1], p => Assert.Equal(0.5f, p.Network, 0.01f));
        Assert.All(points[^7..^1], p => Assert.Equal(10, p.Seconds, 0.1f));
    }

    [Fact]
    public void Forget_SiloThatIsGone_GoesAfterTenMinutes()
    {
        _board.Take(Fare("gone", 1, default));
        _time.Advance(TimeSpan.FromMinutes(9));
        _board.Take(Fare("here", 1, default));
        _board.Forget();
        Assert.Equal(2, _board.View(new(0, 10), Never).Total);
        Assert.Equal(TimeSpan.FromMinutes(9), _board.View(new(0, 10), Never).Silos[0].Age);
        // Nobody counts on a silo that has been silent for ten seconds.
        Assert.Equal(1, _board.View(new(0, 10), Never).DevicesWorking);

        _time.Advance(TimeSpan.FromMinutes(1.5));
        _board.Forget();

        Assert.Equal("here", Assert.Single(_board.View(new(0, 10), Never).Silos).Fare.Silo.Name);
    }

    [Fact]
    public void View_DevicesThatWork_AreThoseThatTakeWork()
    {
        _board.Take(Fare("a", 1, default));
        _board.Take(Fare("b", 1, default) with { Draining = true });
        _board.Take(Fare("c", 1, default) with { Devices = [new("cpu", Works: false, default) { Trouble = "it hangs" }] });
        Assert.Equal(1, _board.View(new(0, 0), Never).DevicesWorking);
    }

    /// <summary>The largest fleet: an answer stays small, and so does what is remembered.</summary>
    [Fact]
    public void View_AThousandSilosOfEightDevices_StaysBelowItsBounds()
    {
        var clock = new System.Diagnostics.Stopwatch();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 1000; i++)
            {
                var fare = Fare($"silo-{i:D4}", 2 * round + 1, new(round, 0, 0, 0, 0)) with
                {
                    Devices = [.. Enumerable.Range(0, 8).Select(d => Device($"cuda:{d}", new(round, 0, 0, 0, 0), round))],
                    Refusals = [.. Enumerable.Range(0, 4).Select(r => new RefusedHere($"model-{r}", new string('x', 200)))],
                };
                clock.Start();
                _board.Take(fare);
                clock.Stop();
            }
            _time.Advance(s_every);
        }

        var view = _board.View(
            new(500, int.MaxValue) { Device = "silo-0007/cuda:3" }, (_, _, _) => (IdleKind.Paused, new string('y', 300)));

        Assert.Equal((1000, 500, FleetView.MostSilos), (view.Total, view.From, view.Silos.Length));
        Assert.Equal("silo-0500", view.Silos[0].Fare.Silo.Name);
        Assert.NotNull(view.Device);
        using var services = new ServiceCollection().AddSerializer(b => b.AddAssembly(typeof(IStageGrain).Assembly)).BuildServiceProvider();
        var worst = services.GetRequiredService<Serializer>().SerializeToArray(view).Length;
        var usual = services.GetRequiredService<Serializer>().SerializeToArray(_board.View(new(0, 100), Never)).Length;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{FleetView.MostSilos} silos of 8 devices: {usual} bytes, {worst} where everything fails; "
            + $"a report: {clock.Elapsed.TotalMicroseconds / 3000:F1} µs");
        Assert.InRange(worst, usual, 200 << 10);
        Assert.Equal(FareRing.Bytes * 8001L, _board.BytesOfRings);
        Assert.InRange(_board.BytesOfRings, 1, 20 << 20);
    }

    static (IdleKind Kind, string Text)? Never(SiloFare silo, DeviceFare device, FarePoint last) => null;

    /// <summary>A silo reports every two seconds while its counters rise so much a second.</summary>
    void Run(string silo, int seconds, DeviceTimes perSecond)
    {
        var before = _board.View(new(0, 100), Never).Silos.FirstOrDefault(s => s.Fare.Silo.Name == silo)?.Fare;
        var (uptime, from) = (before?.Uptime.TotalSeconds ?? 0, before?.Devices[0]);
        if (before is null)
            _board.Take(Fare(silo, 0.001, default));
        for (var s = 2; s <= seconds; s += 2)
        {
            _time.Advance(s_every);
            var t = from?.Times ?? default;
            var device = Device(
                "cpu",
                new(
                    t.Network + s * perSecond.Network, t.Overhead + s * perSecond.Overhead, t.OutputWait + s * perSecond.OutputWait,
                    t.Linger + s * perSecond.Linger, t.Loading + s * perSecond.Loading),
                passes: (from?.Passes ?? 0) + 4 * s);
            _board.Take(Fare(silo, uptime + s, default) with { Devices = [device] });
        }
    }

    static SiloFare Fare(string silo, double uptime, DeviceTimes times, string? worker = null) => new(
        new(silo, worker ?? $"{silo}@1", SiloRole.Worker, "cpu", 0, 16), "host", TimeSpan.FromSeconds(uptime), [Device("cpu", times, 0)]);

    static DeviceFare Device(string name, DeviceTimes times, long passes) => new(name, Works: true, times)
    {
        Models = [new("demo", Loading: false)], Slots = 32, SlotsInUse = 20, BatchLimit = 16, Passes = passes, Evaluations = 10 * passes,
        MemoryUsed = 1L << 33, MemoryLimit = 1L << 36,
    };
}
