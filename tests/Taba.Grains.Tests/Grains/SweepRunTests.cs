using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Errors;
using Taba.Grains.Tests.Fakes;
using Taba.Grains.Tests.Planning;

namespace Taba.Grains.Tests.Grains;

/// <summary>Sweeps from submission to their end, over real grains.</summary>
[Collection(SiloCollection.Name)]
public sealed class SweepRunTests(TestSilo silo)
{
    [Fact]
    public async Task Run_SampleInvertReconstruct_PublishesEveryRowOnce()
    {
        var plan = TestStages.Chain("chain", 100, TestSilo.NewStage());
        await silo.Sweep("chain").SubmitAsync(plan);
        var status = await new TestWorker(silo).RunAsync("chain");

        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(3 * 100, status.Stages.Sum(s => s.RowsDone));
        Assert.Equal(3 * 100 * 10, status.EvaluationsPlanned);
        Assert.Equal(status.EvaluationsPlanned, status.EvaluationsDone);
        Assert.All(plan.Stages, s =>
        {
            Assert.Equal(TestStages.Rows(0, 100), silo.Published(s.Key));
            Assert.Equal(4, silo.Store.Manifests(s.Key).Count);
        });
        Assert.DoesNotContain(await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync(), sweep => sweep.SweepId == "chain");
    }

    [Fact]
    public async Task Run_Chain_ARowFlowsOnBeforeOthersBegin()
    {
        var plan = TestStages.Chain("flow", 128, TestSilo.NewStage());
        await silo.Sweep("flow").SubmitAsync(plan);
        var worker = new TestWorker(silo);
        await worker.RunAsync("flow", room: 1);
        Assert.Equal(
            [.. Enumerable.Range(0, 4).SelectMany(i => plan.Stages.Select(s => (s.Key, i * 32)))],
            worker.Leased.Select(l => (l.Attempt.StageKey, l.Rows.Start)));
    }

    [Fact]
    public async Task Run_TheDemo_KeepsForTheSwapsAndEnds()
    {
        var plan = (SweepSpecs.Demo with { Samples = 64, Seeds = [31337] }).Plan();
        await silo.Sweep(plan.SweepId).SubmitAsync(plan);
        var status = await new TestWorker(silo).RunAsync(plan.SweepId, room: 4);
        Assert.Equal(SweepState.Completed, status.State);
        Assert.Equal(117 * 64, status.EvaluationsDone);
        Assert.All(silo.Store.Manifests(plan.Stages[0].Key), m => Assert.Equal([7, 8, 9], m.Kept.Eps.AsEnumerable()));
    }

    [Fact]
    public async Task Submit_TwoSweepsThatShareAStage_ItsRowsAreLeasedOnce()
    {
        var sample = TestSilo.NewStage();
        var forward = TestStages.InvertOf(sample) with { Forward = new(3, TestStages.Noise(999, 128)) };
        var one = TestStages.Chain("share-1", 64, sample);
        var two = TestStages.Plan("share-2", one.Stages[0], TestStages.Planned(forward, new(0, 64)));
        await silo.Sweep("share-1").SubmitAsync(one);
        await silo.Sweep("share-2").SubmitAsync(two);

        var worker = new TestWorker(silo);
        Assert.Equal(SweepState.Completed, (await worker.RunAsync("share-1")).State);
        var second = await worker.RunAsync("share-2");
        Assert.Equal(SweepState.Completed, second.State);
        Assert.Equal([0, 32], worker.Leased.Where(l => l.Spec.Kind == StageKind.Sample).Select(l => l.Rows.Start));
        Assert.Equal(2 + 2 + 2 + 2, worker.Leased.Count);
    }

    [Fact]
    public async Task Submit_MoreRowsThanBefore_LeasesOnlyTheNewOnes()
    {
        var sample = TestSilo.NewStage();
        await silo.Sweep("n-128").SubmitAsync(TestStages.Chain("n-128", 128, sample));
        await new TestWorker(silo).RunAsync("n-128");

        await silo.Sweep("n-256").SubmitAsync(TestStages.Chain("n-256", 256, sample));
        var worker = new TestWorker(silo);
        var status = await worker.RunAsync("n-256");
        Assert.Equal(SweepState.Completed, status.State);
        Assert.All(status.Stages, s => Assert.Equal((256, 128), (s.RowsDone, s.RowsReused)));
        Assert.Equal(3 * 128, worker.Leased.Sum(l => l.Rows.Count));
        Assert.All(worker.Leased, l => Assert.True(l.Rows.Start >= 128));
        Assert.Equal(3 * 128 * 10, status.EvaluationsPlanned);
    }

    [Fact]
    public async Task Submit_MoreKeptThanBefore_LeasesSupplementsOfThatStageOnly()
    {
        var sample = TestSilo.NewStage();
        await silo.Sweep("plain-first").SubmitAsync(TestStages.Chain("plain-first", 64, sample));
        await new TestWorker(silo).RunAsync("plain-first");

        var swap = TestStages.InvertOf(sample) with { Swap = new(SwapKind.Eps, 3, new StageRows(StageKey.Of(sample)), null) };
        var keep = CaptureSelection.ForSwap(SwapKind.Eps, 3, 10);
        await silo.Sweep("swap-later").SubmitAsync(TestStages.Plan(
            "swap-later", TestStages.Planned(sample, new(0, 64), keep), TestStages.Planned(swap, new(0, 64))));
        var worker = new TestWorker(silo);
        Assert.Equal(SweepState.Completed, (await worker.RunAsync("swap-later")).State);
        Assert.All(worker.Leased.Where(l => l.Spec.Kind == StageKind.Sample), l => Assert.True(l.Supplement));
        Assert.Equal(2, worker.Leased.Count(l => l.Supplement));
        Assert.Equal(4, worker.Leased.Count);
    }

    [Fact]
    public async Task Submit_TheSameSweepAgain_ComputesNothing()
    {
        var plan = TestStages.Chain("again", 64, TestSilo.NewStage());
        await silo.Sweep("again").SubmitAsync(plan);
        await new TestWorker(silo).RunAsync("again");
        var status = await silo.Sweep("again").SubmitAsync(plan);
        Assert.Equal(SweepState.Completed, status.State);
        Assert.All(status.Stages, s => Assert.Equal(64, s.RowsReused));
        Assert.Equal(0, status.EvaluationsPlanned);
        var worker = new TestWorker(silo);
        await worker.RunAsync("again");
        Assert.Empty(worker.Leased);
    }

    [Fact]
    public async Task End_AnySweep_LeavesNoDemandBehindAndKeepsItsLastStatus()
    {
        var plan = TestStages.Chain("forgotten", 32, TestSilo.NewStage());
        await silo.Sweep("forgotten").SubmitAsync(plan);
        var ended = await new TestWorker(silo).RunAsync("forgotten");
        Assert.Equal(0, (await silo.Stage(plan.Stages[0].Key).GetStatusAsync("forgotten")).RowsWanted);
        var later = await silo.Sweep("forgotten").GetStatusAsync();
        Assert.Equal(ended.Version, later.Version);
        Assert.Equal(32, later.Stages[0].RowsDone);
    }

    [Fact]
    public async Task Cancel_InTheMiddle_HandsOutNothingMoreAndKeepsWhatIsPublished()
    {
        var plan = TestStages.Chain("cancelled", 64, TestSilo.NewStage());
        await silo.Sweep("cancelled").SubmitAsync(plan);
        var worker = new TestWorker(silo);
        var lease = await worker.LeaseOneAsync("cancelled");
        silo.Store.Publish(lease!.Attempt, lease.Rows, lease.Keep, supplement: false);
        await silo.Stage(lease.Attempt.StageKey).CompleteAsync(lease.Attempt, RowSet.Of(lease.Rows), lease.Keep, []);

        await silo.Sweep("cancelled").CancelAsync();
        var status = await silo.Sweep("cancelled").GetStatusAsync();
        Assert.Equal(SweepState.Cancelled, status.State);
        Assert.Equal(32, status.Stages[0].RowsDone);
        await silo.Sweep("cancelled").WakeAsync();
        Assert.Null(await silo.Stage(plan.Stages[0].Key).LeaseAsync("worker", null));

        // The same command continues.
        Assert.Equal(32, (await silo.Sweep("cancelled").SubmitAsync(plan)).Stages[0].RowsReused);
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync("cancelled")).State);
    }

    [Fact]
    public async Task GetStatus_UnknownSweep_Throws() =>
        Assert.Contains(
            "nobody", (await Assert.ThrowsAsync<CallException>(() => silo.Sweep("nobody").GetStatusAsync().AsTask())).Message);
}
