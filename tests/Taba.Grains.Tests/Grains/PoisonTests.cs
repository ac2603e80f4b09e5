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

    async Task DieAsync(IStageGrain stage, string worker)
    {
        Assert.NotNull(await stage.LeaseAsync(worker, null));
        silo.Membership.Dead[worker] = true;
    }
}
