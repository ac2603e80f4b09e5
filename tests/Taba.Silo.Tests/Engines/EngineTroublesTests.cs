using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Taba.Grains.Faults;
using Taba.Grains.Models;
using Taba.Grains.Stages;
using Taba.Silo.Devices;
using Taba.Silo.Engines;
using Taba.Silo.Faults;

namespace Taba.Silo.Tests.Engines;

public sealed class EngineTroublesTests
{
    readonly FakeTimeProvider _time = new();
    readonly FaultMonitor _faults = new(goesOn: false, NullLogger<FaultMonitor>.Instance);

    EngineTroubles Troubles(int devices) => new(
        SiloDevices.Resolve("cpu", devices, gpus: 0, cores: 8), _faults, _time, NullLogger<EngineTroubles>.Instance);

    static EngineTrouble Broken(string device) => new(EngineTroubleKind.DeviceBroken, device, "adm", $"{device} is broken");

    [Fact]
    public void Report_OneOfTwo_IsToldOnceAndNobodyElseStops()
    {
        var troubles = Troubles(2);
        var lost = new List<string>();
        troubles.Lost += trouble => lost.Add(trouble.Device);

        troubles.Report(Broken("cpu:1"));
        troubles.Report(Broken("cpu:1"));

        Assert.Equal(["cpu:1"], lost);
        Assert.False(troubles.Works("cpu:1"));
        Assert.True(troubles.Works("cpu:0"));
        Assert.False(troubles.NoneLeft);
        Assert.False(_faults.Fault.IsCompleted);
        Assert.Throws<EngineTroubleException>(() => troubles.RequireWorks("cpu:1"));
    }

    [Fact]
    public async Task Report_TheLast_IsTheTroubleOfTheProcess()
    {
        var troubles = Troubles(2);
        troubles.Report(Broken("cpu:1"));
        troubles.Report(Broken("cpu:0"));
        Assert.True(troubles.NoneLeft);
        Assert.Equal("cpu:0", (await troubles.Trouble).Device);
        Assert.Equal("cpu:0 is broken", (await _faults.Fault).Message);
    }

    [Fact]
    public void EngineEnded_WithOthers_MistrustsTheDeviceForAWhile()
    {
        var troubles = Troubles(2);
        troubles.EngineEnded("cpu:0", "engine", "adm", new InvalidOperationException("it fell over"));
        Assert.Equal("it fell over", troubles.Mistrusts("cpu:0", "engine"));
        Assert.Null(troubles.Mistrusts("cpu:0", "another"));
        Assert.False(_faults.Fault.IsCompleted);
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Null(troubles.Mistrusts("cpu:0", "engine"));
    }

    [Fact]
    public async Task EngineEnded_OnEachDevice_IsReportedWithTheLast()
    {
        var troubles = Troubles(2);
        foreach (var device in new[] { "cpu:0", "cpu:1" })
            troubles.EngineEnded(device, "engine", "adm", new InvalidOperationException($"{device} fell over"));
        Assert.Equal("cpu:1 fell over", (await _faults.Fault).Message);
    }

    [Fact]
    public void EngineEnded_OnTheOnlyDevice_IsReported()
    {
        Troubles(1).EngineEnded("cpu", "engine", "adm", new InvalidOperationException("it fell over"));
        Assert.True(_faults.Fault.IsCompleted);
    }

    [Theory]
    [InlineData(1, true, FaultOwner.Host)]
    [InlineData(2, true, FaultOwner.Device)]
    [InlineData(2, false, FaultOwner.Host)]
    public void Judge_FaultOfAnEngine_IsTheDevicesWhereOthersGoOn(int devices, bool ofAnEngine, FaultOwner judged)
    {
        var name = devices == 1 ? "cpu" : "cpu:0";
        var fault = new Fault(FaultOwner.Host, "it failed") { Rows = ofAnEngine ? new(0, 32) : default };
        var found = Troubles(devices).Judge(fault, new(name, "engine"));
        Assert.Equal((judged, ofAnEngine ? name : null), (found.Owner, found.Device));
    }
}
