using Taba.Grains.Parts;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>One bad sample does not stop a sweep; a broken disk does, until the same command comes again.</summary>
[Collection(SiloCollection.Name)]
public sealed class FailureTests(TestSilo silo) : IDisposable
{
    public void Dispose()
    {
        silo.Device.Failure = null;
        silo.Workspace.BeforePrepare = null;
        silo.Workspace.BeforePublish = null;
    }

    [Fact]
    public async Task Run_OneSampleFails_PublishesTheOthersAndNamesIt()
    {
        var sample = TestSilo.NewStage();
        var plan = TestStages.Chain("one-fails", 64, sample);
        silo.Device.Failure = (spec, row) => spec == sample && row == 5 ? "NaN in float16" : null;
        await silo.Sweep("one-fails").SubmitAsync(plan);
        var status = await new TestWorker(silo).RunAsync("one-fails");

        Assert.Equal(SweepState.CompletedWithFailures, status.State);
        var failure = Assert.Single(status.Failures);
        Assert.Equal((plan.Stages[0].Key, 5, "NaN in float16"), (failure.StageKey, failure.Sample, failure.Reason));
        // Its latents and its reconstruction are lost with it, and nothing else is.
        Assert.All(plan.Stages, s => Assert.Equal(RowSet.Of(new RowRange(0, 5), new RowRange(6, 64)), silo.Published(s.Key)));
        Assert.All(status.Stages, s => Assert.Equal(63, s.RowsDone));
    }

    [Fact]
    public async Task Submit_AfterAFailure_TriesJustThatSampleAgain()
    {
        var sample = TestSilo.NewStage();
        var plan = TestStages.Chain("second-try", 64, sample);
        silo.Device.Failure = (spec, row) => spec == sample && row == 40 ? "NaN" : null;
        await silo.Sweep("second-try").SubmitAsync(plan);
        await new TestWorker(silo).RunAsync("second-try");

        silo.Device.Failure = null;
        await silo.Sweep("second-try").SubmitAsync(plan);
        var worker = new TestWorker(silo);
        Assert.Equal(SweepState.Completed, (await worker.RunAsync("second-try")).State);
        Assert.Equal(3, worker.Leased.Count);
        Assert.All(worker.Leased, l => Assert.Equal(new RowRange(40, 41), l.Rows));
    }

    [Fact]
    public async Task Status_AFailureElsewhere_DoesNotHideARowThatIsMissing()
    {
        var sample = TestSilo.NewStage();
        CaptureSelection keep = new([], [9], []);
        var latents = TestStages.InvertOf(sample);
        var plan = TestStages.Plan("not-hidden", TestStages.Planned(sample, new(0, 4), keep), TestStages.Planned(latents, new(0, 4)));
        // Sampled before without eps, and inverted but for the last row; row 0 then fails when its eps is computed anew.
        silo.Store.Publish(new(plan.Stages[0].Key, 0, 1, Guid.NewGuid()), new(0, 4), CaptureSelection.None, supplement: false);
        silo.Store.Publish(new(plan.Stages[1].Key, 0, 1, Guid.NewGuid()), new(0, 3), CaptureSelection.None, supplement: false);
        await silo.Sweep("not-hidden").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        var lease = await stage.LeaseAsync("a", null);
        await stage.CompleteAsync(lease!.Attempt, TestStages.Rows(1, 4), keep, [new(plan.Stages[0].Key, 0, 9, "NaN")]);

        Assert.Equal(SweepState.Running, (await silo.Sweep("not-hidden").GetStatusAsync()).State);
        Assert.Equal(SweepState.CompletedWithFailures, (await new TestWorker(silo).RunAsync("not-hidden")).State);
        Assert.Equal(TestStages.Rows(0, 4), silo.Published(plan.Stages[1].Key));
    }

    [Fact]
    public async Task Run_InputsCannotBeRead_FaultsAndTheSameCommandContinues()
    {
        var plan = TestStages.Chain("unreadable", 32, TestSilo.NewStage());
        silo.Workspace.BeforePrepare = lease => lease.Spec.Kind == StageKind.Invert
            ? throw new IOException("the store is gone")
            : Task.CompletedTask;
        await silo.Sweep("unreadable").SubmitAsync(plan);
        var status = await new TestWorker(silo).RunAsync("unreadable");
        Assert.Equal((SweepState.Faulted, "the store is gone"), (status.State, status.Fault));
        Assert.Equal(32, status.Stages[0].RowsDone);

        silo.Workspace.BeforePrepare = null;
        await silo.Sweep("unreadable").SubmitAsync(plan);
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync("unreadable")).State);
    }

    [Fact]
    public async Task Run_ResultsCannotBeWritten_FaultsAndWhatTheAttemptWroteIsDiscarded()
    {
        var plan = TestStages.Chain("unwritable", 32, TestSilo.NewStage());
        silo.Workspace.BeforePublish = _ => throw new IOException("no space left");
        await silo.Sweep("unwritable").SubmitAsync(plan);
        var worker = new TestWorker(silo);
        var status = await worker.RunAsync("unwritable");
        Assert.Equal((SweepState.Faulted, "no space left"), (status.State, status.Fault));
        Assert.Contains(worker.Leased[0].Attempt, silo.Workspace.Discarded);
        Assert.Empty(silo.Store.Manifests(plan.Stages[0].Key));
    }

    [Fact]
    public async Task Run_TheStageCannotWriteItsState_ThePartCountsAllTheSame()
    {
        var plan = TestStages.Plan("lost-completion", TestStages.Planned(TestSilo.NewStage(), new(0, 32)));
        await silo.Sweep("lost-completion").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        silo.Workspace.BeforePublish = _ =>
        {
            silo.GrainState.FailWritesOf = stage.GetPrimaryKeyString();
            return Task.CompletedTask;
        };
        var worker = new TestWorker(silo);
        var lease = await worker.LeaseOneAsync("lost-completion");
        await silo.Grains.GetGrain<IPartGrain>(lease!.Attempt.PartKey).StartAsync(lease);
        var ended = await silo.Signal.Ended(lease.Attempt.StageKey).ReadAsync(TestContext.Current.CancellationToken);
        silo.GrainState.FailWritesOf = null;

        Assert.Equal(TestStages.Rows(0, 32), ended.Published);
        Assert.DoesNotContain(lease.Attempt, silo.Workspace.Discarded);
        Assert.Equal(SweepState.Completed, (await silo.Sweep("lost-completion").GetStatusAsync()).State);
    }
}
