using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>
/// A sample that kills its hosts is found, alone and by halving, and given up; its neighbours are computed (docs/design/blame.md).
/// </summary>
[Collection(SiloCollection.Name)]
public sealed class PoisonTests(TestSilo silo)
{
    const int Poison = 5;

    [Fact]
    public async Task Lease_WhoseWorkersDieOfOneSample_EndsWithThatSampleAloneInQuarantine()
    {
        var plan = TestStages.Plan("poisoned", TestStages.Planned(TestSilo.NewStage(), new(0, 8)));
        await silo.Sweep("poisoned").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);

        var (deaths, published) = await WorkAsync(stage, "mortal");

        // Three at [0, 8) before it is suspect; then, alone, one at [0, 8), at [4, 8) and at [4, 6), and two at [5, 6).
        Assert.Equal(RowSet.Of(new RowRange(0, Poison), new RowRange(Poison + 1, 8)), published);
        Assert.Equal(8, deaths);
        var status = await silo.Sweep("poisoned").GetStatusAsync();
        var failure = Assert.Single(status.Failures);
        Assert.Equal((Poison, FailureKind.Poison), (failure.Sample, failure.Kind));
        Assert.Contains($"row {Poison} of the noise with seed", failure.Reason, StringComparison.Ordinal);
        Assert.Equal(SweepState.CompletedWithFailures, status.State);
    }

    [Fact]
    public async Task Submit_InTheMiddleOfTheSearch_DoesNotBeginItAnew()
    {
        var plan = TestStages.Plan("searched", TestStages.Planned(TestSilo.NewStage(), new(0, 8)));
        await silo.Sweep("searched").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        for (var i = 0; i < 3; i++)
            await DieAsync(stage, $"early-{i}");

        await silo.Sweep("searched").SubmitAsync(plan);

        var lease = await stage.LeaseAsync("late", null);
        Assert.Equal((new RowRange(0, 8), true), (lease!.Rows, lease.Alone));
        silo.Membership.Dead["late"] = true;
        await silo.Sweep("searched").SubmitAsync(plan);
        Assert.Equal(new RowRange(0, 4), (await stage.LeaseAsync("later", null))!.Rows);
        await silo.Sweep("searched").CancelAsync();
    }

    [Fact]
    public async Task Lease_AskedForByADeadWorker_IsNotGivenAndCountsForNothing()
    {
        var stage = await DemandedAsync("zombie");
        silo.Membership.Dead["zombie"] = true;
        for (var i = 0; i < 20; i++)
            Assert.Null(await stage.LeaseAsync("zombie", null));

        Assert.Equal(new RowRange(0, 8), (await stage.LeaseAsync("lives", null))!.Rows);
        await silo.Sweep("zombie").CancelAsync();
    }

    [Fact]
    public async Task Lease_RanOutWhileItsWorkerLives_CountsForNothing()
    {
        var stage = await DemandedAsync("unreachable");
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(new RowRange(0, 8), (await stage.LeaseAsync($"away-{i}", null))!.Rows);
            silo.Time.Advance(new LeaseOptions().Duration + TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(new RowRange(0, 8), (await stage.LeaseAsync("lives", null))!.Rows);
        await silo.Sweep("unreachable").CancelAsync();
    }

    /// <summary>
    /// Silos that are killed for other reasons, however often, do not make a sample suspect that gets on in the meantime; also where the
    /// coordinator dies with them, and only the checkpoints know.
    /// </summary>
    [Fact]
    public async Task Lease_WhoseWorkersDieEachTimeFurtherOn_IsNeverSuspect()
    {
        var stage = await DemandedAsync("unlucky");
        for (var i = 1; i <= 40; i++)
        {
            var lease = await DieAsync(stage, $"unlucky-{i}", reached: i);
            Assert.Equal((new RowRange(0, 8), false), (lease.Rows, lease.Alone));
            await silo.Cluster.DeactivateAsync(stage);
        }

        // From here on all die at the same step, whatever they said that they had computed.
        for (var i = 0; i < 3; i++)
            Assert.False((await DieAsync(stage, $"stuck-{i}", reached: 40)).Alone);
        Assert.True((await stage.LeaseAsync("lives", null))!.Alone);
        await silo.Sweep("unlucky").CancelAsync();
    }

    /// <summary>What is kept beside the rows lies on one host: on another they begin anew, and get on there all the same.</summary>
    [Fact]
    public async Task Lease_WhoseRowsGetOnBehindWhatAnotherHostReached_IsNotSuspect()
    {
        var stage = await DemandedAsync("anew");
        await DieAsync(stage, "a@1", reached: 40);
        for (var i = 1; i <= 10; i++)
            Assert.False((await DieAsync(stage, $"b@{i}", reached: i)).Alone);
        // There they do not get on any more.
        for (var i = 11; i <= 13; i++)
            Assert.False((await DieAsync(stage, $"b@{i}", reached: 10)).Alone);
        Assert.True((await stage.LeaseAsync("lives", null))!.Alone);
        await silo.Sweep("anew").CancelAsync();
    }

    [Fact]
    public async Task Lease_StoreDoesNotSayHowFarAnAttemptCame_KeepsTheRowsAndHandsOutTheOthers()
    {
        var stage = await DemandedAsync("unsaid", rows: 64);
        var lost = await DieAsync(stage, "unsaid-dies", reached: 0);
        silo.Store.Unreadable[lost.Attempt] = true;
        Assert.Equal(new RowRange(32, 64), (await stage.LeaseAsync("lives", null))!.Rows);
        Assert.Null(await stage.LeaseAsync("lives", null));
        silo.Store.Unreadable.Clear();
        Assert.Equal(new RowRange(0, 32), (await stage.LeaseAsync("lives", null))!.Rows);
        await silo.Sweep("unsaid").CancelAsync();
    }

    [Fact]
    public async Task Lease_SuspectRows_GoToAWorkerThatHoldsNothing()
    {
        var stage = await DemandedAsync("aside", rows: 64);
        for (var i = 0; i < 3; i++)
            await DieAsync(stage, $"aside-{i}", reached: 0);

        var others = await stage.LeaseAsync("busy", new LeaseRequest(64, null));
        Assert.Equal([new RowRange(32, 64)], others.Select(l => l.Rows));
        Assert.Empty(await stage.LeaseAsync("busy", new LeaseRequest(64, null) { Held = 32 }));
        var alone = Assert.Single(await stage.LeaseAsync("idle", new LeaseRequest(64, null)));
        Assert.Equal((new RowRange(0, 32), true), (alone.Rows, alone.Alone));
        await silo.Sweep("aside").CancelAsync();
    }

    async Task<IStageGrain> DemandedAsync(string sweep, int rows = 8)
    {
        var plan = TestStages.Plan(sweep, TestStages.Planned(TestSilo.NewStage(), new(0, rows)));
        await silo.Sweep(sweep).SubmitAsync(plan);
        return silo.Stage(plan.Stages[0].Key);
    }

    /// <summary>Every attempt that holds the poisoned row dies; every other one publishes.</summary>
    async Task<(int Deaths, RowSet Published)> WorkAsync(IStageGrain stage, string name)
    {
        var (deaths, published) = (0, RowSet.Empty);
        while (await stage.LeaseAsync($"{name}-{deaths}", null) is { } lease)
        {
            Assert.True(deaths < 100, "The search for the sample does not end.");
            if (lease.Rows.Contains(new(Poison, Poison + 1)))
            {
                silo.Membership.Dead[$"{name}-{deaths++}"] = true;
                continue;
            }
            await stage.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
            published = published.Union(RowSet.Of(lease.Rows));
        }
        return (deaths, published);
    }

    /// <param name="reached">The step that the checkpoint has of its rows.</param>
    async Task<PartLease> DieAsync(IStageGrain stage, string worker, int reached = 0)
    {
        var lease = await stage.LeaseAsync(worker, null);
        Assert.NotNull(lease);
        // Evaluations that no checkpoint has help nobody.
        Assert.Equal([true], await stage.RenewAsync(worker, [new(lease.Attempt, 8 * 45)]));
        silo.Store.Reached[lease.Attempt] = reached;
        silo.Membership.Dead[worker] = true;
        return lease;
    }
}
