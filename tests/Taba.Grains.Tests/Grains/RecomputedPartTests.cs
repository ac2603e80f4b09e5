using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>A stage that has its published parts computed once more: beside its rows, and in nobody's way.</summary>
public sealed class RecomputedPartTests : IAsyncLifetime
{
    readonly TestSilo _silo = new() { VerifyOneIn = 1 };

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Lease_AfterAPartIsPublished_ToAnotherSiloVerifiesIt()
    {
        _silo.Silos.Are("a", "b");
        var plan = TestStages.Plan("verified", TestStages.Planned(Deterministic(), new(0, 96)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var stage = Stage(plan);
        var first = await stage.LeaseAsync("a", null);
        Assert.False(first!.Verify);
        await CompleteAsync(stage, first);

        // Not to who published it: it goes on with new rows.
        var second = await stage.LeaseAsync("a", null);
        Assert.Equal((false, 32), (second!.Verify, second.Rows.Start));
        var again = await stage.LeaseAsync("b", null);
        Assert.Equal((true, first.Rows, ProgramVersion.Own), (again!.Verify, again.Rows, again.Version));

        // It is nobody's row: not out, not given up, not given to a third, and renewed like any other.
        Assert.Equal(1, (await StatusAsync(plan)).Stages[0].PartsLeased);
        Assert.Equal([true], await stage.RenewAsync("b", [new(again.Attempt, 10)]));
        Assert.Contains(again.Attempt, await stage.GetAttemptsAsync());
        Assert.Equal(64, (await stage.LeaseAsync("b", null))!.Rows.Start);
        await stage.CompleteAsync(again.Attempt, RowSet.Of(again.Rows), again.Keep, [new("x", 3, 4, "NaN")]);
        Assert.Equal([false], await stage.RenewAsync("b", [new(again.Attempt, 10)]));
        Assert.DoesNotContain(again.Attempt, await stage.GetAttemptsAsync());
        Assert.Equal((32, 0), ((await StatusAsync(plan)).Stages[0].RowsDone, (await StatusAsync(plan)).Stages[0].RowsFailed));
    }

    [Fact]
    public async Task GiveBack_OfAPartThatVerifies_ChangesNothingForItsRows()
    {
        _silo.Silos.Are("a", "b");
        var plan = TestStages.Plan("verified-back", TestStages.Planned(Deterministic(), new(0, 64)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var stage = Stage(plan);
        var first = await stage.LeaseAsync("a", null);
        await CompleteAsync(stage, first!);
        var again = await stage.LeaseAsync("b", null);
        await stage.GiveBackAsync(again!.Attempt, new(Taba.Grains.Faults.FaultOwner.Host, "the disk is full"));

        Assert.Equal(32, (await stage.LeaseAsync("b", null))!.Rows.Start);
        Assert.Empty((await StatusAsync(plan)).Stages[0].Pauses);
    }

    [Fact]
    public async Task Run_OfASweepOnOneWorker_EndsWithEveryRowOnce()
    {
        _silo.Silos.Are("a");
        var plan = TestStages.Chain("verified-chain", 96, Deterministic());
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var worker = new TestWorker(_silo, "a");
        await worker.RunAsync(plan.SweepId);

        Assert.Equal(SweepState.Completed, (await StatusAsync(plan)).State);
        Assert.All(plan.Stages, s => Assert.Equal(TestStages.Rows(0, 96), _silo.Published(s.Key)));
        Assert.All(plan.Stages, s => Assert.Equal(96, _silo.Store.Manifests(s.Key).Sum(m => m.Rows.Count)));
        Assert.Contains(worker.Leased, l => l.Verify);
    }

    static StageSpec Deterministic() => TestSilo.NewStage() with { Determinism = new(16, "cpu") };

    async Task CompleteAsync(IStageGrain stage, PartLease lease)
    {
        _silo.Store.Publish(lease.Attempt, lease.Rows, lease.Keep, supplement: false);
        await stage.CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
    }

    async Task<SweepStatus> StatusAsync(SweepPlan plan) => await _silo.Sweep(plan.SweepId).GetStatusAsync();

    IStageGrain Stage(SweepPlan plan) => _silo.Stage(plan.Stages[0].Key);
}
