using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;
using Taba.Grains.Upkeep;

namespace Taba.Grains.Tests.Grains;

/// <summary>What ended long ago leaves no state behind, and what somebody needs stays.</summary>
public sealed class ForgetTests : IAsyncLifetime
{
    static readonly TimeSpan s_after = TimeSpan.FromDays(30);

    readonly TestSilo _silo = new();

    ISweepIndexGrain Index => _silo.Grains.GetGrain<ISweepIndexGrain>(0);

    IEnumerable<string> States => _silo.GrainState.Keys.Where(k => !k.StartsWith("sweep-index/", StringComparison.Ordinal));

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Reminder_LongAfterTheEnd_ClearsTheSweepAndItsStages()
    {
        var plan = await CompletedAsync("ended", TestSilo.NewStage());
        Assert.Equal(4, States.Count());

        _silo.Time.Advance(s_after - TimeSpan.FromHours(1));
        await RemindAsync();
        Assert.Equal(4, States.Count());
        Assert.Equal("ended", Assert.Single(await Index.GetAllAsync()).SweepId);

        _silo.Time.Advance(TimeSpan.FromHours(2));
        await RemindAsync(until: async () => (await Index.GetAllAsync()).IsEmpty);
        Assert.Empty(States);
        Assert.Empty(await Index.GetEndedAsync(DateTimeOffset.MaxValue));

        // What was published is found again, and nothing is computed.
        var published = _silo.Store.Manifests(plan.Stages[0].Key).Count;
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var worker = new TestWorker(_silo);
        for (var i = 0; i < 60 && (await worker.RunAsync(plan.SweepId)).State.IsLive(); i++)
            _silo.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SweepState.Completed, (await _silo.Sweep(plan.SweepId).GetStatusAsync()).State);
        Assert.Empty(worker.Leased);
        Assert.Equal(published, _silo.Store.Manifests(plan.Stages[0].Key).Count);
        Assert.Equal(SweepState.Completed, Assert.Single(await Index.GetAllAsync()).Ended);
    }

    [Fact]
    public async Task Reminder_ASweepThatLivesSharesTheStage_KeepsTheStageUntilThatEnds()
    {
        var shared = TestSilo.NewStage();
        await CompletedAsync("gone", shared);
        var lives = TestStages.Plan("lives", TestStages.Planned(shared, new(0, 64)));
        await _silo.Sweep("lives").SubmitAsync(lives);
        await _silo.Sweep("lives").PauseAsync();
        _silo.Time.Advance(s_after + TimeSpan.FromHours(1));

        await RemindAsync(until: async () => (await Index.GetAllAsync()).Length == 1);
        Assert.Equal(2, States.Count());
        Assert.Equal(64, (await _silo.Stage(StageKey.Of(shared)).GetStatusAsync("lives")).RowsWanted);
        Assert.Equal(32, (await _silo.Stage(StageKey.Of(shared)).GetStatusAsync("lives")).RowsDone);

        await _silo.Sweep("lives").CancelAsync();
        _silo.Time.Advance(s_after + TimeSpan.FromHours(1));
        await RemindAsync(until: async () => (await Index.GetAllAsync()).IsEmpty);
        Assert.Empty(States);
    }

    [Fact]
    public async Task Reminder_MoreSweepsThanAreListed_ForgetsThoseToo()
    {
        var plans = Enumerable.Range(0, 103).Select(i => TestStages.Plan($"many-{i}", TestStages.Planned(TestSilo.NewStage(), new(0, 1))))
            .ToList();
        foreach (var plan in plans)
        {
            await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
            await _silo.Sweep(plan.SweepId).CancelAsync();
        }
        Assert.Equal(100, (await Index.GetAllAsync()).Length);
        Assert.Equal(206, States.Count());

        _silo.Time.Advance(s_after + TimeSpan.FromHours(1));
        await RemindAsync(until: async () => (await Index.GetAllAsync()).IsEmpty);
        Assert.Empty(States);
        Assert.Empty(await Index.GetEndedAsync(DateTimeOffset.MaxValue));
    }

    [Fact]
    public async Task Reminder_OneStageCannotBeCleared_TheSweepStaysUntilItCan()
    {
        var plan = await CompletedAsync("stuck", TestSilo.NewStage());
        var other = await CompletedAsync("free", TestSilo.NewStage());
        _silo.Time.Advance(s_after + TimeSpan.FromHours(1));
        _silo.GrainState.FailWritesOf = plan.Stages[2].Key;

        await RemindAsync(until: async () => (await Index.GetAllAsync()).Length == 1);
        Assert.Equal("stuck", Assert.Single(await Index.GetAllAsync()).SweepId);
        Assert.NotNull(await _silo.Sweep("stuck").GetPlanAsync());
        Assert.Null(await _silo.Sweep(other.SweepId).GetPlanAsync());

        _silo.GrainState.FailWritesOf = null;
        await RemindAsync(until: async () => (await Index.GetAllAsync()).IsEmpty);
        Assert.Empty(States);
    }

    [Fact]
    public async Task Forget_OfStagesThatStoodIn_ClearsThemToo()
    {
        _silo.Device.FailureKind = FailureKind.NonFinite;
        var sample = TestSilo.NewStage() with { Precision = new(Dtype.Float16, Dtype.Float16, Dtype.Float16) };
        _silo.Device.Failure = (spec, row) => spec == sample && row == 7 ? "NaN" : null;
        var plan = TestStages.Plan("stood-in", TestStages.Planned(sample, new(0, 32)));
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var worker = new TestWorker(_silo);
        for (var i = 0; i < 10 && (await worker.RunAsync(plan.SweepId)).State.IsLive(); i++)
            _silo.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains(States, k => k.Contains(StageKey.Of(HigherPrecision.Of(sample)!), StringComparison.Ordinal));
        await _silo.Sweep(plan.SweepId).CancelAsync();

        Assert.True(await _silo.Sweep(plan.SweepId).ForgetAsync());

        Assert.Empty(States);
    }

    [Fact]
    public async Task Forget_OfASweepThatLives_IsRefused()
    {
        var plan = TestStages.Chain("alive", 32, TestSilo.NewStage());
        await _silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.False(await _silo.Sweep(plan.SweepId).ForgetAsync());
        Assert.Equal(4, States.Count());
        // It lives again when upkeep tells the index.
        await Index.ForgetAsync([plan.SweepId]);
        Assert.Single(await Index.GetLiveAsync());
    }

    [Fact]
    public async Task Ensure_ForgetAfterIsZero_NoReminder()
    {
        var options = _silo.Cluster.Silos[0].ServiceProvider.GetRequiredService<IOptions<StoreUpkeepOptions>>().Value;
        var upkeep = _silo.Grains.GetGrain<IStoreUpkeepGrain>(0);
        await upkeep.EnsureAsync();
        Assert.Contains("forget every 1.00:00:00", await _silo.ObserveRemindersAsync(upkeep), StringComparison.Ordinal);
        options.ForgetAfter = TimeSpan.Zero;
        await upkeep.EnsureAsync();
        Assert.DoesNotContain("forget", await _silo.ObserveRemindersAsync(upkeep), StringComparison.Ordinal);
    }

    async Task<SweepPlan> CompletedAsync(string id, StageSpec spec)
    {
        var plan = TestStages.Chain(id, 32, spec);
        await _silo.Sweep(id).SubmitAsync(plan);
        Assert.Equal(SweepState.Completed, (await new TestWorker(_silo).RunAsync(id)).State);
        return plan;
    }

    /// <summary>The reminder comes, as often as it takes: what it begins goes on behind its call.</summary>
    async Task RemindAsync(Func<Task<bool>>? until = null)
    {
        var upkeep = _silo.Grains.GetGrain<IStoreUpkeepGrain>(0).AsReference<IRemindable>();
        using var patience = new CancellationTokenSource(TestSilo.Patience);
        do
        {
            await upkeep.ReceiveReminder("forget", default);
            await Task.Delay(50, patience.Token);
        }
        while (until is not null && !await until());
    }
}
