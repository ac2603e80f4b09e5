using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>A sample that kills its workers is found by halving and given up; its neighbours are computed.</summary>
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

        // Three at [0, 8), at [4, 8), at [4, 6) and at [5, 6): each size once.
        Assert.Equal(RowSet.Of(new RowRange(0, Poison), new RowRange(Poison + 1, 8)), published);
        Assert.Equal(12, deaths);
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

        Assert.Equal(new RowRange(0, 4), (await stage.LeaseAsync("late", null))!.Rows);
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
    /// Silos that are killed for other reasons, however often, do not make a sample suspect that gets on in the meantime.
    /// </summary>
    [Fact]
    public async Task Lease_WhoseWorkersDieEachTimeFurtherOn_IsNeverHalved()
    {
        var stage = await DemandedAsync("unlucky");
        for (var i = 1; i <= 9; i++)
            Assert.Equal(new RowRange(0, 8), await DieAsync(stage, $"unlucky-{i}", evaluations: 8 * i));

        // From here on all die at the same step.
        for (var i = 0; i < 3; i++)
            Assert.Equal(new RowRange(0, 8), await DieAsync(stage, $"stuck-{i}", evaluations: 8 * 9 + 7));
        Assert.Equal(new RowRange(0, 4), (await stage.LeaseAsync("lives", null))!.Rows);
        await silo.Sweep("unlucky").CancelAsync();
    }

    async Task<IStageGrain> DemandedAsync(string sweep)
    {
        var plan = TestStages.Plan(sweep, TestStages.Planned(TestSilo.NewStage(), new(0, 8)));
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

    async Task<RowRange> DieAsync(IStageGrain stage, string worker, long evaluations = 0)
    {
        var lease = await stage.LeaseAsync(worker, null);
        Assert.NotNull(lease);
        Assert.Equal([true], await stage.RenewAsync(worker, [new(lease.Attempt, evaluations)]));
        silo.Membership.Dead[worker] = true;
        return lease.Rows;
    }
}
