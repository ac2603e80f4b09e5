using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>Hosts that die, of one row or of everything: whom the stage blames, and who waits for it.</summary>
public sealed class BlameTests : IAsyncLifetime
{
    readonly TestSilo _silo = new() { LongestPause = TimeSpan.FromMinutes(5) };

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 77)]
    [InlineData(1, 255)]
    [InlineData(3, 0)]
    [InlineData(3, 77)]
    public async Task Run_OneRowOf256Kills_IsTheOnlyOneGivenUp(int count, int poison)
    {
        var (plan, hosts) = await BeginAsync(256, count);
        foreach (var host in hosts)
            host.Kills = lease => lease.Rows.Contains(new(poison, poison + 1));

        var status = await RunAsync(plan, hosts);

        Assert.Equal(SweepState.CompletedWithFailures, status.State);
        var failure = Assert.Single(status.Failures);
        Assert.Equal((poison, FailureKind.Poison), (failure.Sample, failure.Kind));
        Assert.Equal(255, _silo.Published(plan.Stages[0].Key).Count);
        // Three before it is suspect, one for each halving, two of the row alone.
        Assert.InRange(hosts.Sum(h => h.Deaths), 2, 10);
    }

    /// <summary>Neighbours, the ends of a part, and two of different parts.</summary>
    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(1, 0, 16)]
    [InlineData(1, 31, 32)]
    [InlineData(1, 5, 200)]
    [InlineData(2, 0, 1)]
    [InlineData(2, 5, 200)]
    public async Task Run_TwoRowsKill_TheyAreGivenUpAndNoOther(int count, int one, int other)
    {
        var (plan, hosts) = await BeginAsync(256, count);
        foreach (var host in hosts)
            host.Kills = lease => lease.Rows.Contains(new(one, one + 1)) || lease.Rows.Contains(new(other, other + 1));

        var status = await RunAsync(plan, hosts);

        Assert.Equal([one, other], status.Failures.Select(f => f.Sample).Order());
        Assert.Equal(254, _silo.Published(plan.Stages[0].Key).Count);
    }

    [Fact]
    public async Task Run_OnlyRowOfAStageKills_IsGivenUp()
    {
        var (plan, hosts) = await BeginAsync(1, 1);
        hosts[0].Kills = _ => true;
        var status = await RunAsync(plan, hosts);
        Assert.Equal(0, Assert.Single(status.Failures).Sample);
        Assert.Equal(6, hosts[0].Deaths);
    }

    [Fact]
    public async Task Run_HostDiesOfEverything_GivesUpNoRowAndIsNamed()
    {
        var (plan, hosts) = await BeginAsync(64, 1);
        hosts[0].Kills = _ => true;

        while (hosts[0].Deaths < 60)
            await DieAsync(hosts[0], TimeSpan.FromMinutes(5));
        // The last death is noticed when it asks again.
        Assert.False(await hosts[0].WorkAsync());

        var status = await _silo.Sweep(plan.SweepId).GetStatusAsync();
        Assert.Empty(status.Failures);
        var pause = Assert.Single(status.Pauses);
        Assert.Equal(("host-0", "it ends with every part that it is given"), (pause.Host, pause.Reason));
        Assert.Equal(TimeSpan.FromMinutes(5), pause.Remaining);
        Assert.Equal(pause.Reason, status.Fault);

        // It is repaired.
        hosts[0].Kills = _ => false;
        Assert.Equal(SweepState.Completed, (await RunAsync(plan, hosts)).State);
    }

    [Fact]
    public async Task Run_OneOfThreeHostsDiesOfEverything_TheOthersDoTheWork()
    {
        var (plan, hosts) = await BeginAsync(256, 3);
        hosts[1].Kills = _ => true;
        var status = await RunAsync(plan, hosts);
        Assert.Equal(SweepState.Completed, status.State);
        Assert.Empty(status.Failures);
        Assert.InRange(hosts[1].Deaths, 1, 10);
    }

    /// <summary>One host's word makes nothing suspect where another can be asked, and suspects cost that other one time.</summary>
    [Fact]
    public async Task Lease_RowsThatAHostDiedOf_GoToAnotherFirst()
    {
        var (plan, hosts) = await BeginAsync(64, 2);
        hosts[0].Kills = _ => true;
        await DieAsync(hosts[0], TimeSpan.FromSeconds(2));
        Assert.False(await hosts[0].WorkAsync());
        for (var i = 0; i < 8; i++)
        {
            Assert.False(await hosts[0].WorkAsync());
            _silo.Time.Advance(TimeSpan.FromSeconds(4));
        }
        // Nobody else took them for as long as a lease.
        Assert.True(await hosts[0].WorkAsync());
        Assert.True(await hosts[1].WorkAsync());
        Assert.All(hosts[1].Leased, l => Assert.False(l.Alone));
        Assert.Equal(SweepState.Completed, (await RunAsync(plan, [hosts[1]])).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Complete_OnlyItsOwnRows_ShowThatAHostWorks(bool own)
    {
        var (plan, _) = await BeginAsync(64, 2);
        var stage = _silo.Stage(plan.Stages[0].Key);
        var request = new LeaseRequest(32, null) { Host = "host-0" };
        var failed = Assert.Single(await stage.LeaseAsync("10.0.0.0:11111@0", request));
        await stage.GiveBackAsync(failed.Attempt, new(FaultOwner.Host, "no space left on device"));
        _silo.Time.Advance(TimeSpan.FromSeconds(2));

        var tried = Assert.Single(await stage.LeaseAsync("10.0.0.0:11111@0", request));
        _silo.Store.Publish(tried.Attempt, tried.Rows, tried.Keep, tried.Supplement);
        await stage.CompleteAsync(tried.Attempt, RowSet.Of(tried.Rows), tried.Keep, [], own ? RowSet.Of(tried.Rows) : RowSet.Empty);

        Assert.Equal(own ? 0 : 1, (await stage.GetStatusAsync(plan.SweepId)).Pauses.Length);
    }

    [Fact]
    public async Task Lease_SuspectRowsDiedOnThisHost_AnotherGetsThemFirst()
    {
        var (plan, hosts) = await BeginAsync(1, 2);
        hosts[0].Kills = _ => true;
        // The other one comes when the row has died alone.
        AreThere(1);
        for (var i = 0; i < 4; i++)
            await DieAsync(hosts[0], TimeSpan.FromSeconds(10));
        Assert.True(hosts[0].Leased[^1].Alone);
        AreThere(2);
        // It is noticed, and then its own pause is over.
        Assert.False(await hosts[0].WorkAsync());
        _silo.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(await hosts[0].WorkAsync());
        Assert.True(await hosts[1].WorkAsync());
        Assert.Equal(SweepState.Completed, (await RunAsync(plan, [hosts[1]])).State);
    }

    /// <summary>
    /// 99 hosts with room for six parts finish two each 2.5 seconds; one fails at once with whatever it is given, and always has room.
    /// </summary>
    [Fact]
    public async Task Run_OneOfAHundredHostsFailsAtOnce_TheOthersDoAlmostAllThatTheyCould()
    {
        const int Hosts = 100;
        const int Room = 6;
        const int Bad = 7;
        var (alone, _) = await PartsDoneAsync(Hosts, Room, bad: null);
        var (done, failures) = await PartsDoneAsync(Hosts, Room, Bad);
        Assert.InRange(done, 0.95 * alone * 99 / 100, alone);
        // 1, 2, 4, ... seconds apart.
        Assert.InRange(failures, 3, 8);
    }

    async Task<(int Done, int Failures)> PartsDoneAsync(int hosts, int room, int? bad)
    {
        const int Seconds = 60;
        var plan = TestStages.Plan($"hole-{bad}", TestStages.Planned(
            TestSilo.NewStage() with { Input = TestStages.Noise(bad ?? 1, 1 << 20) }, new(0, 1 << 20)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var stage = _silo.Stage(plan.Stages[0].Key);
        var random = new Random(1);
        var held = Enumerable.Range(0, hosts).Select(_ => new Queue<PartLease>()).ToArray();
        var (done, failures) = (0, 0);
        for (var half = 0; half < 2 * Seconds; half++)
        {
            foreach (var host in Enumerable.Range(0, hosts).OrderBy(_ => random.Next()))
            {
                // Two parts are done each fifth half second.
                if (host != bad && half % 5 == 4)
                {
                    for (var i = 0; i < 2 && held[host].TryDequeue(out var lease); i++, done++)
                        await stage.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
                }
                var free = room - held[host].Count;
                if (free == 0)
                    continue;
                var leases = await stage.LeaseAsync($"host-{host}", new LeaseRequest(32 * free, null));
                foreach (var lease in leases)
                {
                    if (host != bad)
                        held[host].Enqueue(lease);
                    else
                        await stage.GiveBackAsync(lease.Attempt, new(FaultOwner.Host, "no space left on device"));
                }
                failures += host == bad && leases.Length > 0 ? 1 : 0;
            }
            _silo.Time.Advance(TimeSpan.FromMilliseconds(500));
        }
        var status = await stage.GetStatusAsync(plan.SweepId);
        Assert.Null(status.Fault);
        Assert.Equal(bad is null ? 0 : 1, status.Pauses.Length);
        await _silo.Sweep(plan.SweepId).CancelAsync();
        return (done, failures);
    }

    async Task<(SweepPlan Plan, TestHost[] Hosts)> BeginAsync(int rows, int hosts)
    {
        var plan = TestStages.Plan("blame", TestStages.Planned(TestSilo.NewStage(), new(0, rows)));
        AreThere(hosts);
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var stage = _silo.Stage(plan.Stages[0].Key);
        return (plan, [.. Enumerable.Range(0, hosts).Select(i => new TestHost(_silo, stage, $"10.0.0.{i}"))]);
    }

    void AreThere(int hosts) => _silo.Silos.AreAt(Enumerable.Range(0, hosts).Select(i => ($"host-{i}", $"10.0.0.{i}:11111@0")));

    /// <summary>Asks until the host gets something to die of: at first its last death is noticed, and it waits.</summary>
    async Task DieAsync(TestHost host, TimeSpan pause)
    {
        for (var deaths = host.Deaths; host.Deaths == deaths;)
        {
            await host.WorkAsync();
            _silo.Time.Advance(pause);
        }
    }

    /// <summary>The hosts work in turn until the sweep has ended.</summary>
    async Task<SweepStatus> RunAsync(SweepPlan plan, TestHost[] hosts)
    {
        for (var round = 0; round < 400; round++)
        {
            foreach (var host in hosts)
                await host.WorkAsync();
            _silo.Time.Advance(TimeSpan.FromSeconds(5));
            var status = await _silo.Sweep(plan.SweepId).GetStatusAsync();
            if (!status.State.IsLive())
                return status;
        }
        throw new TimeoutException("The sweep does not end.");
    }
}
