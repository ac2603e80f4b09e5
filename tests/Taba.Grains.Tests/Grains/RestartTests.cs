using Taba.Grains.Ports;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>After a kill the store's manifests outrank what the grains remember.</summary>
public sealed class RestartTests(TestSilo silo) : IClassFixture<TestSilo>
{
    [Fact]
    public async Task Restart_StateIsLostButManifestsAreThere_ComputesNothing()
    {
        var plan = TestStages.Chain("lost-state", 64, TestSilo.NewStage());
        await silo.Sweep("lost-state").SubmitAsync(plan);
        await new TestWorker(silo).RunAsync("lost-state");

        silo.GrainState.Lose("stage-");
        silo.GrainState.Lose("lost-state");
        await silo.RestartAsync();
        await silo.Sweep("lost-state").SubmitAsync(plan);
        var worker = new TestWorker(silo);
        // The invert stage can only be looked at when the sample stage is.
        var status = await worker.RunAsync("lost-state");
        for (var look = 0; look < 3 && status.State == SweepState.Running; look++)
            status = await worker.RunAsync("lost-state");
        Assert.Equal(SweepState.Completed, status.State);
        Assert.Empty(worker.Leased);
        Assert.All(status.Stages, s => Assert.Equal(64, s.RowsReused));
    }

    [Fact]
    public async Task Restart_StateSaysDoneButManifestsDoNot_ComputesThemAgain()
    {
        var plan = TestStages.Chain("lost-parts", 64, TestSilo.NewStage());
        await silo.Sweep("lost-parts").SubmitAsync(plan);
        await new TestWorker(silo).RunAsync("lost-parts");

        silo.Store.Lose(plan.Stages[1].Key);
        await silo.RestartAsync();
        Assert.Equal(SweepState.Running, (await silo.Sweep("lost-parts").SubmitAsync(plan)).State);
        var worker = new TestWorker(silo);
        Assert.Equal(SweepState.Completed, (await worker.RunAsync("lost-parts")).State);
        Assert.Equal([(StageKind.Invert, 0), (StageKind.Invert, 32)], worker.Leased.Select(l => (l.Spec.Kind, l.Rows.Start)));
    }

    [Fact]
    public async Task Submit_StoreLostWhatWasPublishedWhileSilosLived_ComputesItAgain()
    {
        var plan = TestStages.Chain("set-back", 64, TestSilo.NewStage());
        await silo.Sweep("set-back").SubmitAsync(plan);
        await new TestWorker(silo).RunAsync("set-back");

        silo.Store.Lose(plan.Stages[1].Key);
        Assert.Equal(SweepState.Running, (await silo.Sweep("set-back").SubmitAsync(plan)).State);
        var worker = new TestWorker(silo);
        Assert.Equal(SweepState.Completed, (await worker.RunAsync("set-back")).State);
        Assert.Equal([(StageKind.Invert, 0), (StageKind.Invert, 32)], worker.Leased.Select(l => (l.Spec.Kind, l.Rows.Start)));
    }

    [Fact]
    public async Task Activate_LargeStage_AsksTheStoreNothing()
    {
        var spec = TestSilo.NewStage();
        var plan = TestStages.Chain("large", 100_000, spec);
        await silo.Sweep("large").SubmitAsync(plan);
        await silo.RestartAsync();
        silo.Store.Looks.Clear();

        await silo.Sweep("large").SubmitAsync(plan);
        Assert.Empty(silo.Store.Looks);

        var lease = await new TestWorker(silo).LeaseOneAsync("large");
        Assert.Equal([(lease!.Attempt.StageKey, new RowRange(0, 32))], silo.Store.Looks);
    }

    [Fact]
    public async Task LookAgain_RowsAreVoid_AreComputedAgainAndTheRestIsNot()
    {
        var plan = TestStages.Chain("void", 96, TestSilo.NewStage());
        await silo.Sweep("void").SubmitAsync(plan);
        await new TestWorker(silo).RunAsync("void");
        var parent = plan.Stages[0].Key;

        silo.Store.Lose(parent, new(40, 41));
        await silo.Sweep("void").LookAgainAsync(parent, new(40, 41));
        var status = await silo.Sweep("void").SubmitAsync(plan);
        Assert.Equal((SweepState.Running, 64, 64), (status.State, status.Stages[0].RowsDone, status.Stages[0].RowsReused));

        var worker = new TestWorker(silo);
        Assert.Equal(SweepState.Completed, (await worker.RunAsync("void")).State);
        Assert.Equal([(parent, new RowRange(32, 64))], worker.Leased.Select(l => (l.Attempt.StageKey, l.Rows)));
    }

    [Fact]
    public async Task Part_InputCannotBeRead_ItsParentComputesItAgainAndThenThePartGoesOn()
    {
        var plan = TestStages.Chain("lost-input", 64, TestSilo.NewStage());
        var (parent, child) = (plan.Stages[0].Key, plan.Stages[1].Key);
        await silo.Sweep("lost-input").SubmitAsync(plan);
        var found = false;
        silo.Workspace.BeforePrepare = lease =>
        {
            if (lease.Attempt.StageKey != child || lease.Rows.Start != 32 || found)
                return Task.CompletedTask;
            found = true;
            silo.Store.Lose(parent, lease.Rows);
            throw new InputLostException(parent, lease.Rows, "its bytes do not have their digest");
        };

        var worker = new TestWorker(silo);
        var status = await worker.RunAsync("lost-input");

        Assert.True(found);
        Assert.Equal(SweepState.Completed, status.State);
        Assert.All(status.Stages, s => Assert.Null(s.Fault));
        Assert.Equal(2, worker.Leased.Count(l => l.Attempt.StageKey == parent && l.Rows.Start == 32));
        Assert.Equal(2, worker.Leased.Count(l => l.Attempt.StageKey == child && l.Rows.Start == 32));
        Assert.Equal(1, worker.Leased.Count(l => l.Attempt.StageKey == child && l.Rows.Start == 0));
    }

    [Fact]
    public async Task Restart_InTheMiddle_GoesOnWithWhatIsMissing()
    {
        var plan = TestStages.Chain("killed", 96, TestSilo.NewStage());
        await silo.Sweep("killed").SubmitAsync(plan);
        var first = new TestWorker(silo, "killed worker");
        // Two parts are published, one of them without the stage knowing it, and a third is out when the silo dies.
        var known = await first.LeaseOneAsync("killed");
        silo.Store.Publish(known!.Attempt, known.Rows, known.Keep, supplement: false);
        await silo.Stage(known.Attempt.StageKey).CompleteAsync(known.Attempt, RowSet.Of(known.Rows), known.Keep, []);
        var unknown = await first.LeaseOneAsync("killed");
        silo.Store.Publish(unknown!.Attempt, unknown.Rows, unknown.Keep, supplement: false);
        var lost = await first.LeaseOneAsync("killed");

        silo.Membership.Dead["killed worker"] = true;
        await silo.RestartAsync();
        Assert.Contains(await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync(), sweep => sweep.SweepId == "killed");
        var second = new TestWorker(silo, "next worker");
        Assert.Equal(SweepState.Completed, (await second.RunAsync("killed")).State);
        var published = new[] { known, unknown };
        Assert.DoesNotContain(second.Leased, l => published.Any(p => p.Attempt.PartKey == l.Attempt.PartKey));
        var again = second.Leased.Single(l => l.Attempt.PartKey == lost!.Attempt.PartKey);
        Assert.True(again.Attempt.Epoch > lost!.Attempt.Epoch);
        Assert.Equal(3 * 3, plan.Stages.Sum(s => silo.Store.Manifests(s.Key).Count));
    }

    [Fact]
    public async Task Restart_AfterTheEnd_RemembersHowItEnded()
    {
        var plan = TestStages.Chain("remembered", 32, TestSilo.NewStage());
        await silo.Sweep("remembered").SubmitAsync(plan);
        var ended = await new TestWorker(silo).RunAsync("remembered");
        await silo.RestartAsync();
        var status = await silo.Sweep("remembered").GetStatusAsync();
        Assert.Equal((ended.State, ended.Version, 32), (status.State, status.Version, status.Stages[2].RowsDone));
        await silo.Sweep("remembered").WakeAsync();
    }
}
