using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>Leases: who has a part, for how long, and what happens when nobody answers.</summary>
[Collection(SiloCollection.Name)]
public sealed class LeaseTests(TestSilo silo)
{
    static readonly TimeSpan s_duration = new LeaseOptions().Duration;
    static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Lease_AfterItsEnd_IsGivenAgainWithAHigherEpoch()
    {
        var stage = await DemandedAsync(rows: 32);
        var first = await stage.LeaseAsync("a", null);
        Assert.Null(await stage.LeaseAsync("b", null));

        silo.Time.Advance(s_duration + s_tick);
        var second = await stage.LeaseAsync("b", null);
        Assert.Equal(first!.Rows, second!.Rows);
        Assert.True(second.Attempt.Epoch > first.Attempt.Epoch);
        Assert.NotEqual(first.Attempt.Id, second.Attempt.Id);
        Assert.Equal([false], await stage.RenewAsync("a", [new(first.Attempt, 1)]));
        Assert.Equal([true], await stage.RenewAsync("b", [new(second.Attempt, 1)]));
    }

    [Fact]
    public async Task Renew_BeforeTheEnd_ProlongsTheLease()
    {
        var stage = await DemandedAsync(rows: 32);
        var lease = await stage.LeaseAsync("a", null);
        for (var i = 0; i < 5; i++)
        {
            silo.Time.Advance(s_duration - s_tick);
            Assert.Equal([true], await stage.RenewAsync("a", [new(lease!.Attempt, i)]));
        }
        Assert.Null(await stage.LeaseAsync("b", null));
    }

    [Fact]
    public async Task Renew_ByAnother_IsFalseAndProlongsNothing()
    {
        var stage = await DemandedAsync(rows: 32);
        var lease = await stage.LeaseAsync("a", null);
        silo.Time.Advance(s_duration - s_tick);
        Assert.Equal([false], await stage.RenewAsync("b", [new(lease!.Attempt, 1)]));
        silo.Time.Advance(2 * s_tick);
        Assert.NotNull(await stage.LeaseAsync("b", null));
    }

    [Fact]
    public async Task Lease_OfADeadWorker_IsVoidAtOnce()
    {
        var stage = await DemandedAsync(rows: 32);
        var first = await stage.LeaseAsync("dies", null);
        silo.Membership.Dead["dies"] = true;
        var second = await stage.LeaseAsync("lives", null);
        Assert.Equal(first!.Rows, second!.Rows);
        Assert.Equal(first.Attempt.Epoch + 1, second.Attempt.Epoch);
    }

    [Fact]
    public async Task Lease_InputsArrive_TheFreshRowComesFirst()
    {
        var sample = TestSilo.NewStage();
        var plan = TestStages.Chain("fresh", 128, sample);
        await silo.Sweep("fresh").SubmitAsync(plan);
        var invert = silo.Stage(plan.Stages[1].Key);
        await PublishAsync(sample, new(0, 64));
        Assert.Equal(0, (await invert.LeaseAsync("a", null))!.Rows.Start);
        await PublishAsync(sample, new(96, 128));
        Assert.Equal(96, (await invert.LeaseAsync("a", 96))!.Rows.Start);
        Assert.Equal(32, (await invert.LeaseAsync("a", null))!.Rows.Start);
    }

    [Fact]
    public async Task Lease_StateCannotBeWritten_HandsNothingOutAndTakesNothing()
    {
        var stage = await DemandedAsync(rows: 32);
        var key = stage.GetPrimaryKeyString();
        silo.GrainState.FailWritesOf = key;
        await Assert.ThrowsAsync<OrleansException>(() => stage.LeaseAsync("a", null));
        silo.GrainState.FailWritesOf = null;
        Assert.NotNull(await stage.LeaseAsync("a", null));
    }

    [Fact]
    public async Task Demand_StateCannotBeWritten_TheSameDemandAgainIsWritten()
    {
        var spec = TestSilo.NewStage();
        var stage = silo.Stage(StageKey.Of(spec));
        var demand = new StageDemand("s", spec, new(0, 32), CaptureSelection.None);
        silo.GrainState.FailWritesOf = stage.GetPrimaryKeyString();
        await Assert.ThrowsAsync<OrleansException>(() => stage.DemandAsync(demand));
        silo.GrainState.FailWritesOf = null;
        await stage.DemandAsync(demand);
        await silo.Cluster.DeactivateAsync(stage);
        Assert.Equal(32, (await stage.GetStatusAsync("s")).RowsWanted);
    }

    [Fact]
    public async Task Activate_LeasesOfLivingWorkers_GoOn()
    {
        var stage = await DemandedAsync(rows: 64);
        var lease = await stage.LeaseAsync("lives-on", null);
        await stage.LeaseAsync("gone", null);
        // Renewed in memory only, long after the end that was written.
        silo.Time.Advance(s_duration - s_tick);
        await stage.RenewAsync("lives-on", [new(lease!.Attempt, 1)]);
        silo.Time.Advance(s_duration - s_tick);
        silo.Membership.Dead["gone"] = true;
        await silo.Cluster.DeactivateAsync(stage);

        Assert.Equal([true], await stage.RenewAsync("lives-on", [new(lease.Attempt, 1)]));
        Assert.Equal(32, (await stage.LeaseAsync("another", null))!.Rows.Start);
    }

    [Fact]
    public async Task Activate_EpochsOfBefore_AreNotGivenAgain()
    {
        var stage = await DemandedAsync(rows: 32);
        var lease = await stage.LeaseAsync("a", null);
        await stage.GiveBackAsync(lease!.Attempt, null);
        await silo.Cluster.DeactivateAsync(stage);
        // The give-back was not written, so the lease is back, for as long as any lease without a sign of life.
        Assert.Null(await stage.LeaseAsync("a", null));
        silo.Time.Advance(s_duration + s_tick);
        Assert.True((await stage.LeaseAsync("a", null))!.Attempt.Epoch > lease.Attempt.Epoch);
    }

    [Fact]
    public async Task Complete_AnotherAttemptWasQuicker_BelievesTheStore()
    {
        var spec = TestSilo.NewStage();
        var stage = await DemandedAsync(rows: 32, spec);
        var lease = await stage.LeaseAsync("a", null);
        // Published by an attempt that died before it told the stage.
        silo.Store.Publish(lease!.Attempt with { Id = Guid.NewGuid() }, lease.Rows, lease.Keep, supplement: false);
        await stage.CompleteAsync(lease.Attempt, RowSet.Empty, lease.Keep, []);
        Assert.Equal(TestStages.Rows(0, 32), await stage.GetPublishedAsync(CaptureSelection.None));
        Assert.Null(await stage.LeaseAsync("a", null));
    }

    [Fact]
    public async Task Complete_AfterTheLeaseWasLost_CountsWhatThePartPublished()
    {
        var stage = await DemandedAsync(rows: 32);
        var first = await stage.LeaseAsync("slow", null);
        silo.Time.Advance(s_duration + s_tick);
        var second = await stage.LeaseAsync("quick", null);
        await stage.CompleteAsync(first!.Attempt, TestStages.Rows(0, 32), first.Keep, []);
        Assert.Equal(TestStages.Rows(0, 32), await stage.GetPublishedAsync(CaptureSelection.None));
        await stage.GiveBackAsync(second!.Attempt, null);
        Assert.Null(await stage.LeaseAsync("quick", null));
    }

    [Fact]
    public async Task Demand_OfASweepThatIsNotLiveAnyMore_IsForgottenWithTheNext()
    {
        var spec = TestSilo.NewStage();
        var stage = await DemandedAsync(rows: 256, spec);
        await silo.Sweep("live").SubmitAsync(TestStages.Plan("live", TestStages.Planned(spec, new(0, 32))));
        Assert.Equal(0, (await stage.GetStatusAsync("s")).RowsWanted);
        Assert.Equal(new RowRange(0, 32), (await stage.LeaseAsync("a", null))!.Rows);
        Assert.Null(await stage.LeaseAsync("a", null));
    }

    [Fact]
    public async Task GiveBack_WithAFault_FaultsTheSweepUntilItIsSubmittedAgain()
    {
        var plan = TestStages.Chain("faulty", 32, TestSilo.NewStage());
        await silo.Sweep("faulty").SubmitAsync(plan);
        var lease = await silo.Stage(plan.Stages[0].Key).LeaseAsync("a", null);
        await silo.Stage(plan.Stages[0].Key).GiveBackAsync(lease!.Attempt, new(FaultOwner.Host, "the disk is full"));

        var status = await silo.Sweep("faulty").GetStatusAsync();
        Assert.Equal((SweepState.Faulted, "the disk is full"), (status.State, status.Fault));
        Assert.Null(await silo.Stage(plan.Stages[0].Key).LeaseAsync("a", null));

        Assert.Equal(SweepState.Running, (await silo.Sweep("faulty").SubmitAsync(plan)).State);
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync("faulty")).State);
    }

    [Fact]
    public async Task GiveBack_WithoutAFault_FreesThePart()
    {
        var stage = await DemandedAsync(rows: 32);
        var lease = await stage.LeaseAsync("a", null);
        await stage.GiveBackAsync(lease!.Attempt, null);
        Assert.Equal(lease.Rows, (await stage.LeaseAsync("b", null))!.Rows);
    }

    [Fact]
    public async Task GiveBack_ByALostDevice_StopsNobodyAndMakesTheRowsSuspect()
    {
        var stage = await DemandedAsync(rows: 32);
        for (var device = 0; device < 3; device++)
        {
            var lease = await stage.LeaseAsync("a", null);
            Assert.Equal(32, lease!.Rows.Count);
            Assert.False(lease.Alone);
            await stage.GiveBackAsync(
                lease.Attempt, new(FaultOwner.Device, "the device is broken") { Rows = lease.Rows, Device = "cuda:0" });
            Assert.Null((await stage.GetStatusAsync("s")).Fault);
        }
        var alone = await stage.LeaseAsync("a", null);
        Assert.Equal((32, true), (alone!.Rows.Count, alone.Alone));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task GiveBack_ThreeTimesWithAFaultOfTheHost_MakesTheRowsSuspectWhenItWasAnEngine(bool engine)
    {
        await using var cluster = new TestSilo { LongestPause = TimeSpan.FromMinutes(5) };
        await cluster.InitializeAsync();
        var spec = TestSilo.NewStage();
        var stage = cluster.Stage(StageKey.Of(spec));
        await stage.DemandAsync(new("s", spec, new(0, 32), CaptureSelection.None));
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var lease = await stage.LeaseAsync("a", null);
            Assert.Equal((32, false), (lease!.Rows.Count, lease.Alone));
            await stage.GiveBackAsync(lease.Attempt, new(FaultOwner.Host, "it failed") { Rows = engine ? lease.Rows : default });
            // 1, 2, then 4 seconds: nobody else waits.
            Assert.Null(await stage.LeaseAsync("a", null));
            cluster.Time.Advance(TimeSpan.FromSeconds(1 << attempt) - TimeSpan.FromMilliseconds(1));
            Assert.Null(await stage.LeaseAsync("a", null));
            cluster.Time.Advance(TimeSpan.FromMilliseconds(1));
        }
        var last = await stage.LeaseAsync("a", null);
        Assert.Equal((32, engine), (last!.Rows.Count, last.Alone));
    }

    async Task<IStageGrain> DemandedAsync(int rows, StageSpec? given = null)
    {
        var spec = given ?? TestSilo.NewStage();
        var stage = silo.Stage(StageKey.Of(spec));
        await stage.DemandAsync(new("s", spec, new(0, rows), CaptureSelection.None));
        return stage;
    }

    /// <summary>Has a stage's rows published by an attempt from elsewhere.</summary>
    async Task PublishAsync(StageSpec spec, RowRange rows)
    {
        var attempt = new PartAttempt(StageKey.Of(spec), rows.Start, 0, Guid.NewGuid());
        silo.Store.Publish(attempt, rows, CaptureSelection.None, supplement: false);
        await silo.Stage(attempt.StageKey).CompleteAsync(
            attempt, RowSet.Of(rows), CaptureSelection.None, ImmutableArray<SampleFailure>.Empty);
    }

    [Fact]
    public async Task Renew_PartThatDoesNotGetOn_EndsItsLeaseAndAnotherWorkerGetsIt()
    {
        var plan = TestStages.Plan("stuck", TestStages.Planned(TestSilo.NewStage(), new(0, 32)));
        await silo.Sweep("stuck").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        var lease = (await stage.LeaseAsync("hangs", null))!;
        Assert.Equal([true], await stage.RenewAsync("hangs", [new(lease.Attempt, 7)]));
        var begun = silo.Time.GetUtcNow();
        do
            silo.Time.Advance(TimeSpan.FromSeconds(20));
        while ((await stage.RenewAsync("hangs", [new(lease.Attempt, 7) { Rows = lease.Rows }]))[0]);

        Assert.InRange(silo.Time.GetUtcNow() - begun, TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(16));
        Assert.Equal(lease.Rows, (await stage.LeaseAsync("another", null))!.Rows);
        // Not even when its rows come free again.
        Assert.Equal([false], await stage.RenewAsync("hangs", [new(lease.Attempt, 7) { Rows = lease.Rows }]));
        await silo.Sweep("stuck").CancelAsync();
    }

    [Fact]
    public async Task Renew_LeaseThatWasNotWritten_IsTakenUpAgainAfterARestart()
    {
        await using var own = new TestSilo();
        await own.InitializeAsync();
        var plan = TestStages.Plan("unwritten", TestStages.Planned(TestSilo.NewStage(), new(0, 4096)));
        await own.Sweep("unwritten").SubmitAsync(plan);
        var key = plan.Stages[0].Key;
        PartLease last;
        do
        {
            // The clock stands still: from some number of leases on none is written.
            last = (await own.Stage(key).LeaseAsync("worker", null))!;
        }
        while (last.Rows.Start < 3200);
        await own.RestartAsync();

        var progress = new PartProgress(last.Attempt, 5);
        Assert.Equal([false], await own.Stage(key).RenewAsync("worker", [progress]));
        Assert.Equal([true], await own.Stage(key).RenewAsync("worker", [progress with { Rows = last.Rows }]));
        Assert.Equal([false], await own.Stage(key).RenewAsync("another", [progress with { Rows = last.Rows }]));
        PartLease? next;
        while ((next = await own.Stage(key).LeaseAsync("another", null)) is not null)
            Assert.True(next.Rows.Intersect(last.Rows).IsEmpty, $"{next.Rows} is in other hands");
    }
}
