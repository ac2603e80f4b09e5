using CsCheck;
using Taba.Grains.Parts;
using Taba.Grains.Planning;
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
        silo.GrainState.BeforeRead = silo.GrainState.BeforeWrite = null;
        silo.Device.Failure = null;
        silo.Device.FailureKind = FailureKind.Other;
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
        await silo.Sweep("died-untold").WakeAsync();
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
        var (up, asked, hold) = Hold(plan.Stages[Stages / 2].Key);
        silo.GrainState.BeforeRead = hold;
        await silo.Sweep(plan.SweepId).WakeAsync();
        silo.Time.Advance(TimeSpan.FromSeconds(1));
        await asked.WaitAsync(TestSilo.Patience);
        var cancelled = silo.Sweep(plan.SweepId).CancelAsync();
        up.SetResult();
        await cancelled;

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
        await PassAsync(TimeSpan.FromMinutes(1), async () => !await IsListedAsync(plan.SweepId));

        var (written, writing, hold) = Hold(IndexState);
        silo.GrainState.BeforeWrite = hold;
        var submitted = silo.Sweep(plan.SweepId).RetryAsync();
        await writing.WaitAsync(TestSilo.Patience);
        // Its stages have not heard, and say that everything is done or given up.
        Assert.Equal(SweepState.Running, (await silo.Sweep(plan.SweepId).GetStatusAsync()).State);
        written.SetResult();

        Assert.Equal(SweepState.Running, (await submitted).State);
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
    }

    [Fact]
    public async Task StageChanged_ReportOfTheSubmissionBefore_IsLeftAside()
    {
        var plan = TestStages.Chain("late-report", 32, TestSilo.NewStage());
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var before = await Task.WhenAll(plan.Stages.Select(s => silo.Stage(s.Key).GetStatusAsync(plan.SweepId).AsTask()));
        await silo.Sweep(plan.SweepId).CancelAsync();
        await silo.Sweep(plan.SweepId).RetryAsync();

        // Each says that nothing is left to do, of what was wanted before.
        foreach (var status in before)
            await silo.Sweep(plan.SweepId).StageChangedAsync(
                new(new(Guid.NewGuid(), 1), status with { RowsFailed = 32, Failed = [new(FailureKind.Other, TestStages.Rows(0, 32))] }));
        await PassAsync(TimeSpan.FromSeconds(3), () => Task.FromResult(false));

        Assert.True(await IsListedAsync(plan.SweepId));
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
    }

    [Fact]
    public async Task Submit_AgainBecauseOneStageFailed_TellsOnlyThatOne()
    {
        var plan = TestStages.Chain("told-once", 32, TestSilo.NewStage());
        var first = silo.Stage(plan.Stages[0].Key);
        silo.GrainState.FailWritesOf = silo.Stage(plan.Stages[1].Key).GetPrimaryKeyString();
        await Assert.ThrowsAnyAsync<Exception>(() => silo.Sweep(plan.SweepId).SubmitAsync(plan));
        // Whoever is not broken has heard, and a sample fails there before the client asks again.
        Assert.Equal("32 0 32", await WantedAsync(plan));
        var lease = await first.LeaseAsync("a", null);
        await first.CompleteAsync(lease!.Attempt, TestStages.Rows(1, 32), lease.Keep, [new(plan.Stages[0].Key, 0, 3, "NaN")]);
        silo.GrainState.FailWritesOf = null;
        Assert.Equal(SweepState.Running, (await silo.Sweep(plan.SweepId).SubmitAsync(plan)).State);

        Assert.Equal("32 32 32", await WantedAsync(plan));
        Assert.Equal(1, (await first.GetStatusAsync(plan.SweepId)).RowsFailed);
        // Asked for once more, after everyone has heard, it is tried again.
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.Equal(0, (await first.GetStatusAsync(plan.SweepId)).RowsFailed);
        await silo.Sweep(plan.SweepId).CancelAsync();
    }

    [Fact]
    public async Task Submit_SiloDiesWhileStagesAreTold_TheRestHearsAsOfASubmission()
    {
        var plan = TestStages.Chain("died-submitting", 32, TestSilo.NewStage());
        silo.Device.Failure = (spec, row) => spec == plan.Stages[0].Spec && row == 3 ? "a fault of before" : null;
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        await new TestWorker(silo).RunAsync(plan.SweepId);
        silo.Device.Failure = null;

        var (_, writing, hold) = Hold(plan.Stages[0].Key);
        silo.GrainState.BeforeWrite = hold;
        var submitted = silo.Sweep(plan.SweepId).RetryAsync();
        await writing.WaitAsync(TestSilo.Patience);
        silo.GrainState.BeforeWrite = null;
        await silo.RestartAsync();
        submitted.Ignore();

        // A worker finds it in the index, and the sample that was given up is tried again without anybody asking for it once more.
        Assert.True(await IsListedAsync(plan.SweepId));
        await silo.Sweep(plan.SweepId).WakeAsync();
        await PassAsync(TimeSpan.FromMinutes(1), async () => await WantedAsync(plan) == "32 32 32");
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
    }

    [Fact]
    public async Task Cancel_AStageNeverAnswers_EndsTheSweepAllTheSame()
    {
        var plan = TestStages.Chain("unanswered", 32, TestSilo.NewStage());
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        await silo.Cluster.DeactivateAsync(silo.Stage(plan.Stages[2].Key));
        var (up, asked, hold) = Hold(plan.Stages[2].Key);
        silo.GrainState.BeforeRead = hold;
        var cancelled = silo.Sweep(plan.SweepId).CancelAsync();
        await asked.WaitAsync(TestSilo.Patience);
        for (var i = 0; i < 60 && !cancelled.IsCompleted; i++)
            await PassAsync(TimeSpan.FromSeconds(1), () => Task.FromResult(false));
        await cancelled.WaitAsync(TestSilo.Patience);

        var status = await silo.Sweep(plan.SweepId).GetStatusAsync();
        Assert.Equal((SweepState.Cancelled, 3), (status.State, status.Stages.Length));
        await silo.Sweep(plan.SweepId).WakeAsync();
        up.SetResult();
        await PassAsync(TimeSpan.FromMinutes(1), async () => !await IsListedAsync(plan.SweepId));
        Assert.False(await IsListedAsync(plan.SweepId));
        Assert.Equal("0 0 0", await WantedAsync(plan));
    }

    [Fact]
    public async Task Status_AStageNeverAnswers_ComesWithinSecondsAndSaysWhich()
    {
        var plan = TestStages.Chain("silent", 32, TestSilo.NewStage());
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        await silo.Cluster.DeactivateAsync(silo.Stage(plan.Stages[2].Key));
        var (up, asked, hold) = Hold(plan.Stages[2].Key);
        silo.GrainState.BeforeRead = hold;

        var asking = silo.Sweep(plan.SweepId).GetStatusAsync().AsTask();
        await asked.WaitAsync(TestSilo.Patience);
        for (var i = 0; i < 5 && !asking.IsCompleted; i++)
            await PassAsync(TimeSpan.FromSeconds(1), () => Task.FromResult(false));
        var status = await asking.WaitAsync(TestSilo.Patience);

        Assert.Equal(SweepState.Running, status.State);
        Assert.Equal([false, false, true], status.Stages.Select(s => s.Silence is not null));
        // As it was seen last.
        Assert.Equal(32, status.Stages[2].RowsWanted);
        up.SetResult();
        silo.GrainState.BeforeRead = null;
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
    }

    [Fact]
    public async Task Cancel_OfASweepWhosePlanWasLost_TakesItOffTheList()
    {
        var plan = TestStages.Chain("lost-plan", 32, TestSilo.NewStage());
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        silo.GrainState.Lose("sweep/lost-plan");
        await silo.RestartAsync();
        silo.GrainState.Lose("sweep/lost-plan");
        Assert.Null(await silo.Sweep(plan.SweepId).GetPlanAsync());
        Assert.True(await IsListedAsync(plan.SweepId));

        await silo.Sweep(plan.SweepId).CancelAsync();

        Assert.False(await IsListedAsync(plan.SweepId));
    }

    [Fact]
    public async Task Cancel_AfterARestart_WithdrawsFromStagesThatStandInToo()
    {
        silo.Device.FailureKind = FailureKind.NonFinite;
        var sample = TestSilo.NewStage() with { Precision = new(Dtype.Float16, Dtype.Float16, Dtype.Float16) };
        silo.Device.Failure = (spec, row) => spec == sample && row == 7 ? "NaN" : null;
        var plan = TestStages.Plan("stood-in", TestStages.Planned(sample, new(0, 32)));
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var lease = (await new TestWorker(silo).LeaseOneAsync(plan.SweepId))!;
        await silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease);
        var standIn = silo.Stage(StageKey.Of(HigherPrecision.Of(sample)!));
        await PassAsync(TimeSpan.FromMinutes(1), async () => (await standIn.GetStatusAsync(plan.SweepId)).RowsWanted == 1);
        Assert.Equal(1, (await standIn.GetStatusAsync(plan.SweepId)).RowsWanted);

        // The end is written, and the silo dies before a stage hears of it.
        silo.GrainState.FailWritesOf = "stage/";
        await silo.Sweep(plan.SweepId).CancelAsync();
        await silo.RestartAsync();
        silo.GrainState.FailWritesOf = null;
        await silo.Sweep(plan.SweepId).WakeAsync();
        await PassAsync(TimeSpan.FromMinutes(1), async () => !await IsListedAsync(plan.SweepId));

        Assert.False(await IsListedAsync(plan.SweepId));
        standIn = silo.Stage(StageKey.Of(HigherPrecision.Of(sample)!));
        Assert.Equal(0, (await standIn.GetStatusAsync(plan.SweepId)).RowsWanted);
    }

    enum Happening
    {
        Submit,
        Retry,
        Pause,
        Resume,
        Cancel,
        Look,
        Work,
        Second,
        Deactivate,
        IndexFails,
        StageFails,
        SweepFails,
        Heal,
    }

    static readonly Gen<(Happening What, bool Waits)[]> s_stories =
        Gen.Select(Gen.Int[0, (int)Happening.Heal].Select(i => (Happening)i), Gen.Bool).Array[10, 40];

    /// <summary>
    /// Calls that come while others are under way, writes that fail, activations that end: in the end the index and every stage know what
    /// the sweep says of itself.
    /// </summary>
    [Fact]
    public Task AnyStory_EveryoneKnowsInTheEnd() => s_stories.SampleAsync(TellAsync, iter: 40, threads: 1);

    async Task TellAsync((Happening What, bool Waits)[] story)
    {
        var plan = TestStages.Chain($"story-{Guid.NewGuid():N}", 64, TestSilo.NewStage());
        var sweep = silo.Sweep(plan.SweepId);
        await sweep.SubmitAsync(plan);
        var calls = new List<Task>();
        foreach (var (what, waits) in story)
        {
            var call = what switch
            {
                Happening.Submit => sweep.SubmitAsync(plan),
                Happening.Retry => sweep.RetryAsync(),
                Happening.Pause => sweep.PauseAsync(),
                Happening.Resume => sweep.ResumeAsync(),
                Happening.Cancel => sweep.CancelAsync(),
                Happening.Look => sweep.GetStatusAsync().AsTask(),
                Happening.Work => WorkAsync(),
                Happening.Deactivate => silo.Cluster.DeactivateAsync(sweep),
                _ => Task.CompletedTask,
            };
            if (what is Happening.Second)
                silo.Time.Advance(TimeSpan.FromSeconds(1));
            silo.GrainState.FailWritesOf = what switch
            {
                Happening.IndexFails => IndexState,
                Happening.StageFails => silo.Stage(plan.Stages[1].Key).GetPrimaryKeyString(),
                Happening.SweepFails => plan.SweepId,
                Happening.Heal => null,
                _ => silo.GrainState.FailWritesOf,
            };
            calls.Add(call);
            if (waits)
                await Record.ExceptionAsync(() => call);
        }
        silo.GrainState.FailWritesOf = null;
        foreach (var call in calls)
            await Record.ExceptionAsync(() => call);

        await sweep.WakeAsync();
        await PassAsync(TimeSpan.FromMinutes(1), SettledAsync);
        var state = (await sweep.GetStatusAsync()).State;
        Assert.True(await SettledAsync(), $"{state}, {await ListedAsync(plan.SweepId)}, {await WantedAsync(plan)}");
        await sweep.CancelAsync();

        // A part of the first stage that has any.
        async Task WorkAsync()
        {
            var worker = new TestWorker(silo, "chaos");
            if (await worker.LeaseOneAsync(plan.SweepId) is { } lease)
                await silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey).StartAsync(lease);
        }

        async Task<bool> SettledAsync()
        {
            var now = (await sweep.GetStatusAsync()).State;
            var (listed, wanted) = (await ListedAsync(plan.SweepId), await WantedAsync(plan));
            return now.IsLive()
                ? listed?.Paused == (now == SweepState.Paused) && wanted == "64 64 64"
                : listed is null && wanted == "0 0 0";
        }
    }

    async Task<SweepEntry?> ListedAsync(string id) =>
        (await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync()).FirstOrDefault(s => s.SweepId == id);

    /// <summary>Holds up reads or writes of the states of grains whose id contains a text, until the first of these is ended.</summary>
    static (TaskCompletionSource GoesOn, Task IsHeld, Func<string, Task> Hold) Hold(string part)
    {
        var (goesOn, held) = (new TaskCompletionSource(), new TaskCompletionSource());
        return (goesOn, held.Task, key =>
        {
            if (!key.Contains(part, StringComparison.Ordinal))
                return Task.CompletedTask;
            held.TrySetResult();
            return goesOn.Task;
        }
        );
    }

    async Task<SweepPlan> CompletedButUnknownAsync(string id)
    {
        var plan = TestStages.Chain(id, 32, TestSilo.NewStage());
        await silo.Sweep(id).SubmitAsync(plan);
        silo.GrainState.FailWritesOf = IndexState;
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(id)).State);
        return plan;
    }

    async Task<bool> IsListedAsync(string id) => await ListedAsync(id) is not null;

    /// <summary>The rows that each stage still believes are wanted.</summary>
    async Task<string> WantedAsync(SweepPlan plan) => string.Join(
        ' ', await Task.WhenAll(plan.Stages.Select(async s => (await silo.Stage(s.Key).GetStatusAsync(plan.SweepId)).RowsWanted)));

    /// <summary>Time passes, in steps of a sweep's tick, until something is so or the time is over.</summary>
    async Task PassAsync(TimeSpan time, Func<Task<bool>> until)
    {
        for (var passed = TimeSpan.Zero; passed < time && !await until(); passed += TimeSpan.FromSeconds(1))
        {
            silo.Time.Advance(TimeSpan.FromSeconds(1));
            // What the tick began goes on in the silo: calls that come behind it let it, and grains that come up take a moment.
            for (var i = 0; i < 20; i++)
                await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetAllAsync();
            await Task.Delay(10);
        }
    }
}
