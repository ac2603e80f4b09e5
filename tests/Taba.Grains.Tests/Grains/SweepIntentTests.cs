using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>What a sweep means to do reaches the index and its stages, whatever fails, dies or comes in between.</summary>
public sealed class SweepIntentTests(TestSilo silo) : IClassFixture<TestSilo>, IDisposable
{
    const string IndexState = "sweep-index/";

    public void Dispose()
    {
        silo.GrainState.FailWritesOf = null;
        silo.Store.BeforeRead = null;
        silo.Device.Failure = null;
    }

    [Fact]
    public async Task End_OneWriteOfTheIndexFails_AMinuteLaterEveryoneKnows()
    {
        var plan = await CompletedButUnknownAsync("untold");
        silo.GrainState.FailWritesOf = null;

        await PassAsync(TimeSpan.FromMinutes(1), async () => !await IsListedAsync("untold"));

        Assert.False(await IsListedAsync("untold"));
        Assert.Equal("0 0 0", await WantedAsync(plan));
    }

    [Fact]
    public async Task End_SiloDiesBeforeTheIndexKnows_AWorkersLookSettlesIt()
    {
        var plan = await CompletedButUnknownAsync("died-untold");
        await silo.RestartAsync();
        silo.GrainState.FailWritesOf = null;

        // The index still lists it, and so a worker asks.
        Assert.True(await IsListedAsync("died-untold"));
        Assert.Empty(await silo.Sweep("died-untold").GetWorkAsync());
        await PassAsync(TimeSpan.FromMinutes(1), async () => !await IsListedAsync("died-untold"));

        Assert.False(await IsListedAsync("died-untold"));
        Assert.Equal("0 0 0", await WantedAsync(plan));
        Assert.Equal(SweepState.Completed, (await silo.Sweep("died-untold").GetStatusAsync()).State);
    }

    [Fact]
    public async Task End_AStageDoesNotHearOfIt_TheSweepStaysListedUntilItDoes()
    {
        var plan = TestStages.Chain("deaf-stage", 32, TestSilo.NewStage());
        await silo.Sweep("deaf-stage").SubmitAsync(plan);
        silo.GrainState.FailWritesOf = silo.Stage(plan.Stages[1].Key).GetPrimaryKeyString();
        await silo.Sweep("deaf-stage").CancelAsync();

        Assert.Equal(SweepState.Cancelled, (await silo.Sweep("deaf-stage").GetStatusAsync()).State);
        Assert.True(await IsListedAsync("deaf-stage"));
        Assert.Equal("0 32 0", await WantedAsync(plan));
        silo.GrainState.FailWritesOf = null;
        await PassAsync(TimeSpan.FromMinutes(1), async () => !await IsListedAsync("deaf-stage"));
        Assert.Equal("0 0 0", await WantedAsync(plan));
    }

    [Fact]
    public async Task Cancel_WhileARestartedSweepTellsItsStages_LeavesNoDemand()
    {
        const int Stages = 300;
        var plan = TestStages.Plan(
            "cancelled-telling", [.. Enumerable.Range(0, Stages).Select(_ => TestStages.Planned(TestSilo.NewStage(), new(0, 32)))]);
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        await silo.RestartAsync();
        // The stage in the middle is slow to come up: when it is there, half of the stages have not been told.
        var middle = silo.Stage(plan.Stages[Stages / 2].Key).GetPrimaryKeyString();
        var up = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        silo.Store.BeforeRead = key =>
        {
            if (StageAddress.GrainKey(key) != middle)
                return Task.CompletedTask;
            asked.TrySetResult();
            return up.Task;
        };
        try
        {
            await silo.Sweep(plan.SweepId).GetWorkAsync();
            silo.Time.Advance(TimeSpan.FromSeconds(1));
            await asked.Task.WaitAsync(TestSilo.Patience);
            var cancelled = silo.Sweep(plan.SweepId).CancelAsync();
            up.SetResult();
            await cancelled;
        }
        finally
        {
            silo.Store.BeforeRead = null;
        }

        await PassAsync(TimeSpan.FromSeconds(5), () => Task.FromResult(false));
        Assert.DoesNotContain("32", await WantedAsync(plan), StringComparison.Ordinal);
        Assert.Equal(SweepState.Cancelled, (await silo.Sweep(plan.SweepId).GetStatusAsync()).State);
        Assert.False(await IsListedAsync(plan.SweepId));
    }

    [Fact]
    public async Task Status_InTheMiddleOfASubmission_DoesNotEndTheSweepByWhatWasBefore()
    {
        var plan = TestStages.Chain("again-in-the-middle", 32, TestSilo.NewStage());
        silo.Device.Failure = (spec, row) => spec == plan.Stages[0].Spec && row == 3 ? "a fault of before" : null;
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.Equal(SweepState.CompletedWithFailures, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
        silo.Device.Failure = null;

        var (reading, read) = (new TaskCompletionSource(), new TaskCompletionSource());
        silo.Store.BeforeRead = key =>
        {
            if (key != plan.Stages[0].Key)
                return Task.CompletedTask;
            reading.TrySetResult();
            return read.Task;
        };
        var submitted = silo.Sweep(plan.SweepId).RetryAsync();
        await reading.Task.WaitAsync(TestSilo.Patience);
        // Its first stage still says that everything is done or given up.
        Assert.Equal(SweepState.Running, (await silo.Sweep(plan.SweepId).GetStatusAsync()).State);
        silo.Store.BeforeRead = null;
        read.SetResult();

        Assert.Equal(SweepState.Running, (await submitted).State);
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
    }

    async Task<SweepPlan> CompletedButUnknownAsync(string id)
    {
        var plan = TestStages.Chain(id, 32, TestSilo.NewStage());
        await silo.Sweep(id).SubmitAsync(plan);
        silo.GrainState.FailWritesOf = IndexState;
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(id)).State);
        return plan;
    }

    async Task<bool> IsListedAsync(string id) =>
        (await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync()).Any(s => s.SweepId == id);

    /// <summary>The rows that each stage still believes are wanted.</summary>
    async Task<string> WantedAsync(SweepPlan plan) => string.Join(
        ' ', await Task.WhenAll(plan.Stages.Select(async s => (await silo.Stage(s.Key).GetStatusAsync(plan.SweepId)).RowsWanted)));

    /// <summary>Time passes, in steps of a sweep's tick, until something is so or the time is over.</summary>
    async Task PassAsync(TimeSpan time, Func<Task<bool>> until)
    {
        for (var passed = TimeSpan.Zero; passed < time && !await until(); passed += TimeSpan.FromSeconds(1))
        {
            silo.Time.Advance(TimeSpan.FromSeconds(1));
            // What the tick began goes on in the silo: calls that come behind it let it.
            for (var i = 0; i < 20; i++)
                await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetAllAsync();
        }
    }
}
