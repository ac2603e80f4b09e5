using Taba.Grains.Parts;
using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>What a sweep means to do reaches the index and its stages, whatever fails, dies or comes in between.</summary>
public sealed class SweepIntentTests(TestSilo silo) : IClassFixture<TestSilo>, IDisposable
{
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

        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => !await silo.IsListedAsync("untold"));

        Assert.False(await silo.IsListedAsync("untold"));
        Assert.Equal("0 0 0", await silo.WantedAsync(plan));
    }

    [Fact]
    public async Task End_SiloDiesBeforeTheIndexKnows_AWorkersLookSettlesIt()
    {
        var plan = await CompletedButUnknownAsync("died-untold");
        await silo.RestartAsync();
        silo.GrainState.FailWritesOf = null;

        // The index still lists it, and so a worker asks.
        Assert.True(await silo.IsListedAsync("died-untold"));
        await silo.Sweep("died-untold").WakeAsync();
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => !await silo.IsListedAsync("died-untold"));

        Assert.False(await silo.IsListedAsync("died-untold"));
        Assert.Equal("0 0 0", await silo.WantedAsync(plan));
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
        Assert.True(await silo.IsListedAsync("deaf-stage"));
        Assert.Equal("0 32 0", await silo.WantedAsync(plan));
        silo.GrainState.FailWritesOf = null;
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => !await silo.IsListedAsync("deaf-stage"));
        Assert.Equal("0 0 0", await silo.WantedAsync(plan));
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

        await silo.PassAsync(TimeSpan.FromSeconds(5), () => Task.FromResult(false));
        Assert.DoesNotContain("32", await silo.WantedAsync(plan), StringComparison.Ordinal);
        Assert.Equal(SweepState.Cancelled, (await silo.Sweep(plan.SweepId).GetStatusAsync()).State);
        Assert.False(await silo.IsListedAsync(plan.SweepId));
    }

    [Fact]
    public async Task Status_InTheMiddleOfASubmission_DoesNotEndTheSweepByWhatWasBefore()
    {
        var plan = TestStages.Chain("again-in-the-middle", 32, TestSilo.NewStage());
        silo.Device.Failure = (spec, row) => spec == plan.Stages[0].Spec && row == 3 ? "a fault of before" : null;
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        Assert.Equal(SweepState.CompletedWithFailures, (await new TestWorker(silo).RunAsync(plan.SweepId)).State);
        silo.Device.Failure = null;
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => !await silo.IsListedAsync(plan.SweepId));

        var (written, writing, hold) = Hold(SweepWitness.IndexState);
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
        await silo.PassAsync(TimeSpan.FromSeconds(3), () => Task.FromResult(false));

        Assert.True(await silo.IsListedAsync(plan.SweepId));
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
        Assert.Equal("32 0 32", await silo.WantedAsync(plan));
        var lease = await first.LeaseAsync("a", null);
        await first.CompleteAsync(lease!.Attempt, TestStages.Rows(1, 32), lease.Keep, [new(plan.Stages[0].Key, 0, 3, "NaN")]);
        silo.GrainState.FailWritesOf = null;
        Assert.Equal(SweepState.Running, (await silo.Sweep(plan.SweepId).SubmitAsync(plan)).State);

        Assert.Equal("32 32 32", await silo.WantedAsync(plan));
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
        Assert.True(await silo.IsListedAsync(plan.SweepId));
        await silo.Sweep(plan.SweepId).WakeAsync();
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => await silo.WantedAsync(plan) == "32 32 32");
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
            await silo.PassAsync(TimeSpan.FromSeconds(1), () => Task.FromResult(false));
        await cancelled.WaitAsync(TestSilo.Patience);

        var status = await silo.Sweep(plan.SweepId).GetStatusAsync();
        Assert.Equal((SweepState.Cancelled, 3), (status.State, status.Stages.Length));
        await silo.Sweep(plan.SweepId).WakeAsync();
        up.SetResult();
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => !await silo.IsListedAsync(plan.SweepId));
        Assert.False(await silo.IsListedAsync(plan.SweepId));
        Assert.Equal("0 0 0", await silo.WantedAsync(plan));
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
            await silo.PassAsync(TimeSpan.FromSeconds(1), () => Task.FromResult(false));
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
        Assert.True(await silo.IsListedAsync(plan.SweepId));

        await silo.Sweep(plan.SweepId).CancelAsync();

        Assert.False(await silo.IsListedAsync(plan.SweepId));
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
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => (await standIn.GetStatusAsync(plan.SweepId)).RowsWanted == 1);
        Assert.Equal(1, (await standIn.GetStatusAsync(plan.SweepId)).RowsWanted);

        // The end is written, and the silo dies before a stage hears of it.
        silo.GrainState.FailWritesOf = "stage/";
        await silo.Sweep(plan.SweepId).CancelAsync();
        await silo.RestartAsync();
        silo.GrainState.FailWritesOf = null;
        await silo.Sweep(plan.SweepId).WakeAsync();
        await silo.PassAsync(TimeSpan.FromMinutes(1), async () => !await silo.IsListedAsync(plan.SweepId));

        Assert.False(await silo.IsListedAsync(plan.SweepId));
        standIn = silo.Stage(StageKey.Of(HigherPrecision.Of(sample)!));
        Assert.Equal(0, (await standIn.GetStatusAsync(plan.SweepId)).RowsWanted);
    }

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
        silo.GrainState.FailWritesOf = SweepWitness.IndexState;
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync(id)).State);
        return plan;
    }
}
