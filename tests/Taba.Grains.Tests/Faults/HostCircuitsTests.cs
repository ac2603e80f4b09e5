using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Faults;
using Taba.Grains.Silos;

namespace Taba.Grains.Tests.Faults;

/// <summary>A host that fails waits by itself, for longer each time.</summary>
public sealed class HostCircuitsTests
{
    static readonly TimeSpan s_longest = TimeSpan.FromMinutes(5);

    readonly FakeTimeProvider _time = new();

    [Fact]
    public void Failed_AgainAndAgain_WaitsTwiceAsLongUpToTheLongest()
    {
        var circuits = new HostCircuits(_time, s_longest);
        var pauses = new List<double>();
        for (var failure = 1; failure <= 12; failure++)
        {
            circuits.Failed("a", "a:1@1", "full");
            var pause = Assert.Single(circuits.Pauses);
            Assert.Equal(failure, pause.Failures);
            pauses.Add(pause.Remaining.TotalSeconds);
            Assert.False(circuits.MayTake("a"));
            Assert.True(circuits.MayTake("b"));
            _time.Advance(pause.Remaining);
            Assert.True(circuits.MayTake("a") && circuits.IsOnTrial("a"));
        }
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300], pauses);

        circuits.Worked("a");
        Assert.True(circuits.IsEmpty);
    }

    [Fact]
    public void Failed_SeveralPartsAtOnce_IsOneFailure()
    {
        var circuits = new HostCircuits(_time, s_longest);
        for (var part = 0; part < 6; part++)
            circuits.Failed("a", "a:1@1", "full");
        Assert.Equal((1, TimeSpan.FromSeconds(1)), (circuits.Pauses[0].Failures, circuits.Pauses[0].Remaining));
    }

    [Fact]
    public void Failed_WithoutALongestPause_WaitsUntilSomebodySaysThatItIsMended()
    {
        var circuits = new HostCircuits(_time, longest: null);
        circuits.Failed("a", "a:1@1", "full");
        _time.Advance(TimeSpan.FromDays(30));
        Assert.False(circuits.MayTake("a"));
        Assert.Equal(TimeSpan.MaxValue, circuits.Pauses[0].Remaining);
        circuits.TryAll();
        Assert.True(circuits.MayTake("a"));
        Assert.Null(circuits.Standstill([Silo("a")], "adm"));
    }

    [Fact]
    public void Standstill_OfSeveralHosts_SaysWhatTheyHaveInCommon()
    {
        var circuits = new HostCircuits(_time, s_longest);
        SiloInfo[] silos = [Silo("a"), Silo("b"), Silo("c")];
        circuits.Failed("a", "a:1@1", "the store is gone");
        circuits.Failed("b", "b:1@1", "the store is gone");
        Assert.Null(circuits.Standstill(silos, "adm"));
        Assert.Equal(
            new Fault(FaultOwner.Store, "all 2 silos failed alike: the store is gone"), circuits.Standstill(silos[..2], "adm"));
        Assert.Equal(new Fault(FaultOwner.Host, "the store is gone"), circuits.Standstill(silos[..1], "adm"));

        circuits.Refuses("c", "c:1@1", "another model");
        Assert.Equal(
            new Fault(FaultOwner.Stage, "none of 3 silos can go on; of 2 it is: the store is gone"), circuits.Standstill(silos, "adm"));
        Assert.Equal(new Fault(FaultOwner.Stage, "no silo can serve the model adm"), circuits.Standstill(silos[2..], "adm"));
        circuits.Serves("c");
        Assert.Null(circuits.Standstill(silos, "adm"));
    }

    static SiloInfo Silo(string name) => new(name, $"{name}:1@1", SiloRole.Worker, "cpu", 0, 16);
}
