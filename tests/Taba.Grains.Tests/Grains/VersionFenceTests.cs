using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>Silos of several versions beside each other: nobody gets what it would compute otherwise than its key says.</summary>
public sealed class VersionFenceTests : IAsyncLifetime
{
    static readonly ProgramVersion s_newer = new("9.9.9", ProgramVersion.Own.Numerics + 1);

    readonly TestSilo _silo = new() { LongestPause = TimeSpan.FromSeconds(10) };

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Lease_ToASiloOfOtherNumerics_IsNoneAndStatusSaysBothVersions()
    {
        _silo.Silos.Are("a", "b");
        _silo.Silos.Runs("b", s_newer);
        var plan = TestStages.Plan("fenced", TestStages.Planned(TestSilo.NewStage(), new(0, 64)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);

        Assert.Null(await Stage(plan).LeaseAsync("b", null));
        var lease = await Stage(plan).LeaseAsync("a", null);
        Assert.Equal(ProgramVersion.Own, lease!.Version);
        Assert.Null(LeaseFence.Refusal(lease, "cpu"));

        var status = await _silo.Sweep(plan.SweepId).GetStatusAsync();
        var refusal = Assert.Single(status.Refusals);
        Assert.Equal("silo-b", refusal.Silo);
        Assert.Contains($"Taba 9.9.9 (numerics {s_newer.Numerics})", refusal.Reason, StringComparison.Ordinal);
        Assert.Contains($"the stage is of numerics {ProgramVersion.Own.Numerics}", refusal.Reason, StringComparison.Ordinal);
        Assert.Null(status.Fault);
    }

    [Fact]
    public async Task Lease_OfANewerPlan_GoesToTheNewerSiloWhateverTheCoordinatorIs()
    {
        _silo.Silos.Are("a", "b", "old");
        _silo.Silos.Runs("b", s_newer);
        _silo.Silos.Runs("old", null);
        var plan = Newer(TestStages.Plan("newer", TestStages.Planned(TestSilo.NewStage(), new(0, 64))));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);

        Assert.Null(await Stage(plan).LeaseAsync("a", null));
        Assert.Null(await Stage(plan).LeaseAsync("old", null));
        var lease = await Stage(plan).LeaseAsync("b", null);
        Assert.Equal(ProgramVersion.Own with { Numerics = s_newer.Numerics }, lease!.Version);
        // What runs in this process is of another version than the lease, and says so whatever its coordinator believes.
        Assert.Contains($"numerics {s_newer.Numerics}", LeaseFence.Refusal(lease, "cpu"), StringComparison.Ordinal);

        Assert.Equal(["silo-a", "silo-old"], (await _silo.Sweep(plan.SweepId).GetStatusAsync()).Refusals.Select(r => r.Silo));
    }

    [Fact]
    public async Task Status_TheLastSiloOfItsVersionLeft_SaysThatNobodyComputesIt()
    {
        _silo.Silos.Are("a", "b");
        _silo.Silos.Runs("b", s_newer);
        var plan = TestStages.Plan("left", TestStages.Planned(TestSilo.NewStage(), new(0, 64)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.Null(await Stage(plan).LeaseAsync("b", null));
        Assert.Null((await _silo.Sweep(plan.SweepId).GetStatusAsync()).Fault);

        _silo.Silos.Are("b");
        _silo.Silos.Runs("b", s_newer);
        Assert.Contains("no silo has the version", (await _silo.Sweep(plan.SweepId).GetStatusAsync()).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_APlanThatNoSiloComputes_IsRefusedAndNothingIsDemanded()
    {
        _silo.Silos.Are("a");
        var plan = Newer(TestStages.Plan("refused", TestStages.Planned(TestSilo.NewStage(), new(0, 64))));
        await Assert.ThrowsAnyAsync<Exception>(() => _silo.Sweep(plan.SweepId).SubmitAsync(plan));
        Assert.Equal(0, (await Stage(plan).GetStatusAsync(plan.SweepId)).RowsWanted);

        _silo.Silos.Runs("a", s_newer);
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.Equal(64, (await Stage(plan).GetStatusAsync(plan.SweepId)).RowsWanted);
    }

    [Fact]
    public async Task Lease_ADeterministicStageToAnotherKindOfDevice_IsNone()
    {
        _silo.Silos.Are("a", "b");
        var plan = TestStages.Plan("kinds", TestStages.Planned(TestSilo.NewStage() with { Determinism = new(16, "cuda") }, new(0, 64)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.Null(await Stage(plan).LeaseAsync("a", null));
        Assert.Equal(
            "its devices are cpu, and the stage's bits are those of cuda",
            Assert.Single((await _silo.Sweep(plan.SweepId).GetStatusAsync()).Refusals).Reason);
    }

    [Fact]
    public async Task Lease_AKeyThatFollowsFromNothing_IsNone()
    {
        _silo.Silos.Are("a");
        var spec = TestSilo.NewStage();
        // As a coordinator keeps a stage of which it does not know a field.
        var stage = _silo.Stage(StageKey.Of(spec with { Guidance = 7 }));
        await stage.DemandAsync(new("nobody", spec, new(0, 64), CaptureSelection.None));
        Assert.Null(await stage.LeaseAsync("a", null));
        Assert.Contains("neither there nor at its coordinator", Assert.Single((await stage.GetStatusAsync("nobody")).Refusals).Reason,
            StringComparison.Ordinal);
    }

    static SweepPlan Newer(SweepPlan plan) => plan with
    {
        Version = s_newer,
        Stages = [.. plan.Stages.Select(s => s with { Key = StageKey.Of(s.Spec, s_newer.Numerics) })],
    };

    IStageGrain Stage(SweepPlan plan) => _silo.Stage(plan.Stages[0].Key);
}
