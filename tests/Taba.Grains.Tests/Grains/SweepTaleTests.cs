using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;
using Taba.Grains.Words;

namespace Taba.Grains.Tests.Grains;

/// <summary>What a sweep tells people: its log, its rate, how far it is, over restarts of its silo.</summary>
public sealed class SweepTaleTests(TestSilo silo) : IClassFixture<TestSilo>
{
    ISweepIndexGrain Index => silo.Grains.GetGrain<ISweepIndexGrain>(0);

    [Fact]
    public async Task Log_OfASweep_SaysWhoDidWhatAndOutlivesItsSilo()
    {
        var plan = TestStages.Chain("told", 64, TestSilo.NewStage());
        await AsAsync("anna@node7", () => silo.Sweep("told").SubmitAsync(plan));
        await AsAsync("ben\u001b[31m@b", () => silo.Sweep("told").PauseAsync());
        await silo.RestartAsync();
        await AsAsync("anna@node7", () => silo.Sweep("told").ResumeAsync());
        await new TestWorker(silo).RunAsync("told");

        var log = await silo.Sweep("told").GetLogAsync();
        Assert.Equal(
            ["submitted by anna@node7", "paused by ben[31m@b", "resumed by anna@node7", "sample T=10 is done: 64 rows",
                "invert T=10 is done: 64 rows", "reconstruct T=10 is done: 64 rows", "ended: completed"],
            log.Select(LogText.Of).OrderBy(t => t.StartsWith("ended", StringComparison.Ordinal)));
        var status = await silo.Sweep("told").GetStatusAsync();
        Assert.Equal(("anna@node7", TimeSpan.Zero), (status.User, status.Left));
        Assert.NotNull(status.EndedAt);

        await silo.RestartAsync();
        Assert.Equal(log.AsEnumerable(), (await silo.Sweep("told").GetLogAsync()).AsEnumerable());
        Assert.Equal("ended: completed", LogText.Of((await silo.Sweep("told").GetStatusAsync()).News[^1]));
    }

    [Fact]
    public async Task Status_OfASweepWhosePlannerKnowsTheSpeed_SaysTheTimeLeftBeforeAnythingIsDone()
    {
        var plan = TestStages.Chain("expected", 64, TestSilo.NewStage()) with { ExpectedRate = 96 };

        var status = await silo.Sweep("expected").SubmitAsync(plan);

        Assert.Equal((96.0, TimeSpan.FromSeconds(64 * 3 * 10 / 96.0)), (status.Rate, status.Left));
        await silo.Sweep("expected").CancelAsync();
    }

    [Fact]
    public async Task Status_AfterItsSiloIsLost_KeepsItsTotalAndSaysWhatWasLost()
    {
        var plan = TestStages.Chain("kept", 96, TestSilo.NewStage());
        await silo.Sweep("kept").SubmitAsync(plan);
        var worker = new TestWorker(silo);
        await CompleteOneAsync("kept", worker);
        var lost = await worker.LeaseOneAsync("kept");
        var stage = silo.Stage(lost!.Attempt.StageKey);
        await stage.RenewAsync("worker", [new(lost.Attempt, 70)]);
        var before = await silo.Sweep("kept").GetStatusAsync();
        Assert.Equal((3 * 96 * 10, 320 + 70), (before.EvaluationsPlanned, before.EvaluationsDone));

        await silo.RestartAsync();
        var after = await silo.Sweep("kept").GetStatusAsync();
        Assert.Equal(
            (before.EvaluationsPlanned, 0, 32), (after.EvaluationsPlanned, after.Stages.Sum(s => s.RowsReused), after.Stages[0].RowsDone));

        await silo.Stage(lost.Attempt.StageKey).RenewAsync("worker", [new(lost.Attempt, 70)]);
        silo.Membership.Dead["worker"] = true;
        try
        {
            await EventuallyAsync(async () => (await silo.Sweep("kept").GetStatusAsync()).Recovered == 1);
            Assert.Contains(
                "lost with silo worker: 1 part, handed out again, up to 70 evaluations are made again",
                (await silo.Sweep("kept").GetLogAsync()).Select(LogText.Of));
            var ended = await new TestWorker(silo, "another").RunAsync("kept");
            Assert.Equal(
                (SweepState.Completed, before.EvaluationsPlanned, before.EvaluationsPlanned, 1),
                (ended.State, ended.EvaluationsPlanned, ended.EvaluationsDone, ended.Recovered));
        }
        finally
        {
            silo.Membership.Dead.TryRemove("worker", out _);
        }
    }

    [Fact]
    public async Task Page_OfTheIndex_CarriesProgressAndKeepsTheLastOfASweepThatEnded()
    {
        var plan = TestStages.Chain("paged", 64, TestSilo.NewStage());
        await AsAsync("anna@node7", () => silo.Sweep("paged").SubmitAsync(plan));
        await CompleteOneAsync("paged", new TestWorker(silo));
        await EventuallyAsync(async () => (await EntryAsync("paged")).Progress is { EvaluationsDone: 320 });
        var live = await EntryAsync("paged");
        Assert.Equal(("anna@node7", 1920), (live.User, live.Progress!.EvaluationsPlanned));
        Assert.True((await Index.GetPageAsync(0, 10)).Live >= 1);
        Assert.All(await Index.GetLiveAsync(), e => Assert.Null(e.Progress));

        await new TestWorker(silo).RunAsync("paged");
        // The list hears of the end and of the last numbers in calls of their own.
        await EventuallyAsync(async () => await EntryAsync("paged") is { Ended: not null, Progress.EvaluationsDone: 1920 });
        await silo.RestartAsync();
        var ended = await EntryAsync("paged");
        Assert.Equal((SweepState.Completed, 1920), (ended.Ended, ended.Progress!.EvaluationsDone));
    }

    [Fact]
    public async Task Page_OfManySweeps_IsAPage()
    {
        for (var i = 0; i < 30; i++)
            await Index.AddAsync(new($"many-{i:00}", "n", 0, false, silo.Time.GetUtcNow().AddYears(1).AddSeconds(i), null, null));
        var page = await Index.GetPageAsync(10, 5);
        Assert.Equal(["many-19", "many-18", "many-17", "many-16", "many-15"], page.Entries.Select(e => e.SweepId));
        Assert.True(page.Total >= 30 && page.Live >= 30);
        for (var i = 0; i < 30; i++)
            await Index.EndAsync($"many-{i:00}", SweepState.Cancelled);
    }

    [Fact]
    public async Task Metrics_ThatAreTold_AreBoundedAndOutliveTheSilo()
    {
        var plan = TestStages.Chain("measured", 32, TestSilo.NewStage());
        plan = plan with { Runs = [Run("one"), Run("two")] };
        var sweep = silo.Sweep("measured");
        await sweep.SubmitAsync(plan);
        await sweep.MetricsAsync(new("two", [new("error", 0.5), new("nan", double.NaN), new("bad\nname", 1)]));
        await sweep.MetricsAsync(new("one", [.. Enumerable.Range(0, 500).Select(i => new RunNumber($"n{i}", i))]));
        await sweep.MetricsAsync(new("unknown", [new("error", 1)]));
        silo.Time.Advance(TimeSpan.FromSeconds(2));
        await EventuallyAsync(() => Task.FromResult(silo.GrainState.All("sweep-metrics/").Any()));

        var told = await sweep.GetMetricsAsync();
        Assert.Equal(["one", "two"], told.Select(r => r.Run));
        Assert.Equal(RunNumbers.MostNumbers, told[0].Numbers.Length);
        Assert.Equal([new RunNumber("error", 0.5)], told[1].Numbers.AsEnumerable());
        await sweep.CancelAsync();
        Assert.True(await sweep.ForgetAsync());
        Assert.Empty(silo.GrainState.All("sweep-metrics/"));
    }

    static PlannedRun Run(string slug) => new(slug, [], null, new(0, 32), TestStages.Model, []);

    async Task<SweepEntry> EntryAsync(string id) =>
        (await Index.GetPageAsync(0, SweepPage.MostEntries)).Entries.Single(s => s.SweepId == id);

    /// <summary>One part is computed, and its stage has written that.</summary>
    async Task CompleteOneAsync(string sweep, TestWorker worker)
    {
        var lease = (await worker.LeaseOneAsync(sweep))!;
        var writes = silo.GrainState.WritesOf(lease.Attempt.StageKey);
        silo.Store.Publish(lease.Attempt, lease.Rows, lease.Keep, lease.Supplement);
        await silo.Stage(lease.Attempt.StageKey).CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);
        await EventuallyAsync(() => Task.FromResult(silo.GrainState.WritesOf(lease.Attempt.StageKey) > writes));
    }

    static async Task AsAsync(string user, Func<Task> call)
    {
        Requester.Send(user);
        await call();
    }

    /// <summary>Lets the grains' clock go on until something holds.</summary>
    async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await holds())
                return;
            silo.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        Assert.Fail("it does not come");
    }
}
