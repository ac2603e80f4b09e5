using Taba.Grains.Faults;
using Taba.Grains.Parts;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>A silo that has another model than the plan's is out of it; the others are not, and the user is told.</summary>
public sealed class ModelRefusalTests : IAsyncLifetime
{
    const string Reason = "model.json is another one";

    readonly TestSilo _silo = new() { LongestPause = TimeSpan.FromMinutes(5) };

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Run_OneOfTwoSilosHasAnotherModel_TheOtherDoesAllAtOnce()
    {
        _silo.Silos.Are("a", "b");
        var plan = TestStages.Chain("another-model", 64, TestSilo.NewStage());
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var without = new TestWorker(_silo, "a");
        _silo.Workspace.BeforePrepare = lease => without.Leased.Contains(lease) ? throw new ModelRefusedException(
            Reason) : Task.CompletedTask;
        await without.LeaseOneAsync(plan.SweepId);
        await without.LeaseOneAsync(plan.SweepId);
        foreach (var lease in without.Leased)
            await _silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease);
        foreach (var _ in without.Leased)
            Assert.True((await _silo.Signal.Ended(plan.Stages[0].Key).ReadAsync().AsTask().WaitAsync(TestSilo.Patience)).Published.IsEmpty);

        var status = await _silo.Sweep(plan.SweepId).GetStatusAsync();
        Assert.Equal((SweepState.Running, null, 0), (status.State, status.Fault, status.Stages.Sum(s => s.PartsLeased)));
        Assert.Equal([new ModelRefusal("silo-a", Reason)], status.Refusals.AsEnumerable());
        Assert.Equal(2, without.Leased.Count);

        // No time has passed.
        var ended = await new TestWorker(_silo, "b").RunAsync(plan.SweepId);
        Assert.Equal(SweepState.Completed, ended.State);
        Assert.All(plan.Stages, s => Assert.Equal(TestStages.Rows(0, 64), _silo.Published(s.Key)));
        Assert.Empty(ended.Refusals);
    }

    [Fact]
    public async Task Lease_NobodyHasTheModel_TheSweepSaysSoUntilSomebodyHas()
    {
        _silo.Silos.Are("a", "b");
        _silo.Silos.CoordinatorComes("c");
        var plan = TestStages.Plan("nobody", TestStages.Planned(TestSilo.NewStage(), new(0, 64)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Task RefuseAsync(string worker) => RefusedAsync(plan, worker);

        await RefuseAsync("a");
        await RefuseAsync("a");
        var some = await StatusAsync(plan);
        Assert.Null(some.Fault);
        Assert.Equal(["silo-a"], some.Refusals.Select(r => r.Silo));

        await RefuseAsync("b");
        var none = await StatusAsync(plan);
        Assert.Equal((SweepState.Running, "no silo can serve the model models/small/model.json"), (none.State, none.Fault));
        Assert.True(none.Version > some.Version);

        // A silo that is gone says nothing any more, and one that comes has not said anything yet.
        _silo.Silos.Are("b", "d");
        var other = await StatusAsync(plan);
        Assert.Null(other.Fault);
        Assert.Equal(["silo-b"], other.Refusals.Select(r => r.Silo));

        // The files of b are put right: its next try gets a part, and shows that it does.
        _silo.Silos.Are("b");
        Assert.NotNull((await StatusAsync(plan)).Fault);
        var lease = await Stage(plan).LeaseAsync("b", null);
        Assert.Null((await StatusAsync(plan)).Fault);
        await Stage(plan).RenewAsync("b", [new(lease!.Attempt, 0)]);
        Assert.Single((await StatusAsync(plan)).Refusals);
        await Stage(plan).RenewAsync("b", [new(lease.Attempt, 1)]);
        Assert.Empty((await StatusAsync(plan)).Refusals);
    }

    [Fact]
    public async Task GiveBack_ModelRefusedManyTimes_NeitherSplitsThePartNorHoldsItBack()
    {
        var plan = TestStages.Plan("patient", TestStages.Planned(TestSilo.NewStage(), new(0, 32)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        for (var attempt = 0; attempt < 4; attempt++)
        {
            var refused = await Stage(plan).LeaseAsync("a", null);
            var fault = Fault.Refusal(Reason);
            await Stage(plan).GiveBackAsync(refused!.Attempt, fault);
            await Stage(plan).GiveBackAsync(refused.Attempt, fault);
        }
        var lease = await Stage(plan).LeaseAsync("b", null);
        Assert.Equal(new RowRange(0, 32), lease!.Rows);
        Assert.Empty(lease.EarlierAttempts);
    }

    async Task RefusedAsync(SweepPlan plan, string worker) =>
        Assert.Empty(await Stage(plan).LeaseAsync(worker, new LeaseRequest(32, null) { Refusal = Reason }));

    async Task<SweepStatus> StatusAsync(SweepPlan plan) => await _silo.Sweep(plan.SweepId).GetStatusAsync();

    IStageGrain Stage(SweepPlan plan) => _silo.Stage(plan.Stages[0].Key);
}
