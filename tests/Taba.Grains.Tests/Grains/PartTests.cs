using Taba.Grains.Faults;
using Taba.Grains.Parts;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Tests.Grains;

/// <summary>Parts and trajectories when calls cross: stopping what is being published, replacing what runs.</summary>
[Collection(SiloCollection.Name)]
public sealed class PartTests(TestSilo silo) : IDisposable
{
    public void Dispose()
    {
        silo.Workspace.BeforePrepare = null;
        silo.Workspace.BeforePublish = null;
        silo.Workspace.Complete = null;
        silo.Workspace.OnDiscard = null;
        silo.Workspace.Draining = false;
    }

    [Fact]
    public async Task Start_OneSample_RunsItInSegmentsToItsLastStep()
    {
        var lease = NewLease(rows: 1);
        await Part(lease).StartAsync(lease);
        await EndAsync(lease);
        Assert.Equal([4, 8, 10], silo.Device.Segments.Where(s => s.Attempt == lease.Attempt).Select(s => s.EndStep));
    }

    [Fact]
    public async Task Start_AnotherAttemptOfTheSameEpoch_IsRefusedAndTheFirstGoesOn()
    {
        // What a database that forgot its last second hands out.
        var lease = NewLease(rows: 1);
        var twin = lease with { Attempt = lease.Attempt with { Id = Guid.NewGuid() } };
        var segments = silo.Device.Hold(lease.Attempt.StageKey);
        Assert.True(await Part(lease).StartAsync(lease));
        await NextAsync(segments);

        Assert.False(await Part(twin).StartAsync(twin));
        Assert.True(await Part(lease).StartAsync(lease));

        Assert.Equal(lease.Attempt, (await Part(lease).GetStatusAsync()).Attempt);
        await Part(lease).StopAsync(lease.Attempt);
        Assert.DoesNotContain(silo.Device.Segments, s => s.Attempt == twin.Attempt);
    }

    [Fact]
    public async Task Start_LeaseOfAnotherSilo_IsRefusedAndWhatRanHereEnds()
    {
        var lease = NewLease(rows: 1);
        var segments = silo.Device.Hold(lease.Attempt.StageKey);
        Assert.True(await Part(lease).StartAsync(lease));
        await NextAsync(segments);

        var elsewhere = lease with { Attempt = lease.Attempt with { Epoch = 2, Id = Guid.NewGuid() }, Worker = "127.0.0.1:1@1" };
        Assert.False(await Part(lease).StartAsync(elsewhere));

        Assert.Contains(lease.Attempt, silo.Workspace.Discarded);
        Assert.DoesNotContain(silo.Device.Segments, s => s.Attempt == elsewhere.Attempt);
    }

    [Fact]
    public async Task Start_ForwardReplacement_BeginsAfterTheReplacedSteps()
    {
        var spec = TestStages.InvertOf(TestSilo.NewStage()) with { Forward = new(5, TestStages.Noise(999, 128)) };
        var lease = NewLease(rows: 1, spec: spec);
        await Part(lease).StartAsync(lease);
        await EndAsync(lease);
        Assert.Equal([9, 10], silo.Device.Segments.Where(s => s.Attempt == lease.Attempt).Select(s => s.EndStep));
    }

    [Fact]
    public async Task Abandon_InMidRun_ClosesTheSlotsDiscardsAndGivesThePartBackWithTheReason()
    {
        var spec = TestSilo.NewStage();
        var plan = TestStages.Plan("abandoned", TestStages.Planned(spec, new(0, 3)));
        await silo.Sweep("abandoned").SubmitAsync(plan);
        var key = plan.Stages[0].Key;
        var segments = silo.Device.Hold(key);
        var lease = (await silo.Stage(key).LeaseAsync("worker", null))!;
        await Part(lease).StartAsync(lease);
        for (var sample = 0; sample < 3; sample++)
            await NextAsync(segments);

        await Part(lease).AbandonAsync(lease.Attempt, new(FaultOwner.Host, "the disk is full"));

        Assert.Equal(3, silo.Device.Closed.Count(c => c.Attempt == lease.Attempt));
        Assert.Contains(lease.Attempt, silo.Workspace.Discarded);
        Assert.Empty(silo.Store.Manifests(key));
        var status = await silo.Sweep("abandoned").GetStatusAsync();
        Assert.Equal((SweepState.Faulted, "the disk is full"), (status.State, status.Fault));
        Assert.Empty(status.Failures);

        silo.Device.Held.TryRemove(key, out _);
        await silo.Sweep("abandoned").SubmitAsync(plan);
        Assert.Equal(SweepState.Completed, (await new TestWorker(silo).RunAsync("abandoned")).State);
    }

    [Fact]
    public async Task Start_NewerAttempt_StopsTheOlderOneAndEnds()
    {
        var older = NewLease(rows: 2);
        var segments = silo.Device.Hold(older.Attempt.StageKey);
        await Part(older).StartAsync(older);
        await NextAsync(segments);
        await NextAsync(segments);

        silo.Device.Held.TryRemove(older.Attempt.StageKey, out _);
        var newer = older with { Attempt = older.Attempt with { Epoch = 2, Id = Guid.NewGuid() } };
        await Part(newer).StartAsync(newer);
        Assert.Equal(newer.Attempt, (await EndAsync(newer)).Attempt);
        Assert.Equal(2, silo.Device.Closed.Count(c => c.Attempt == older.Attempt));
        Assert.Contains(older.Attempt, silo.Workspace.Discarded);
        Assert.DoesNotContain(newer.Attempt, silo.Workspace.Discarded);
        Assert.Equal(newer.Attempt, Assert.Single(silo.Store.Manifests(newer.Attempt.StageKey)).Attempt);
    }

    [Fact]
    public async Task Stop_WhileRunning_GivesTheSlotsUpAndDiscards()
    {
        var lease = NewLease(rows: 2);
        var segments = silo.Device.Hold(lease.Attempt.StageKey);
        await Part(lease).StartAsync(lease);
        await NextAsync(segments);
        await NextAsync(segments);
        await Part(lease).StopAsync(lease.Attempt);
        Assert.Equal([0, 1], silo.Device.Closed.Where(c => c.Attempt == lease.Attempt).Select(c => c.Sample).Order());
        Assert.Contains(lease.Attempt, silo.Workspace.Discarded);
        Assert.Null((await Part(lease).GetStatusAsync()).Attempt);
    }

    [Fact]
    public async Task Status_WhilePublishing_StillNamesTheAttempt()
    {
        // A worker gives back the lease of a part whose grain has no run: while it is published it must have one, else its rows are
        // computed twice.
        var lease = NewLease(rows: 2);
        var publishing = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        silo.Workspace.BeforePublish = _ =>
        {
            publishing.SetResult();
            return release.Task;
        };
        await Part(lease).StartAsync(lease);
        await publishing.Task.WaitAsync(TestSilo.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(lease.Attempt, (await Part(lease).GetStatusAsync()).Attempt);
        release.SetResult();
        Assert.Equal(TestStages.Rows(0, 2), (await EndAsync(lease)).Published);
    }

    [Fact]
    public async Task Stop_WhilePublishing_LeavesTheObjectsToTheManifest()
    {
        var lease = NewLease(rows: 2);
        var publishing = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        silo.Workspace.BeforePublish = _ =>
        {
            publishing.SetResult();
            return release.Task;
        };
        await Part(lease).StartAsync(lease);
        await publishing.Task.WaitAsync(TestSilo.Patience, TestContext.Current.CancellationToken);
        await Part(lease).StopAsync(lease.Attempt);
        release.SetResult();
        Assert.Equal(TestStages.Rows(0, 2), (await EndAsync(lease)).Published);
        Assert.DoesNotContain(lease.Attempt, silo.Workspace.Discarded);
        // Whether or not the stage heard of it: before it hands the rows out it asks the store.
        var stage = silo.Stage(lease.Attempt.StageKey);
        await stage.DemandAsync(new("s", lease.Spec, lease.Rows, CaptureSelection.None));
        Assert.Null(await stage.LeaseAsync("a", null));
        Assert.Equal(TestStages.Rows(0, 2), await stage.GetPublishedAsync(CaptureSelection.None));
    }

    [Fact]
    public async Task Stop_WhilePreparing_DiscardsWhenThePreparationIsOver()
    {
        var lease = NewLease(rows: 2);
        var preparing = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var discarded = new TaskCompletionSource();
        silo.Workspace.OnDiscard = attempt =>
        {
            if (attempt == lease.Attempt)
                discarded.SetResult();
        };
        silo.Workspace.BeforePrepare = _ =>
        {
            preparing.SetResult();
            return release.Task;
        };
        await Part(lease).StartAsync(lease);
        await preparing.Task.WaitAsync(TestSilo.Patience, TestContext.Current.CancellationToken);
        await Part(lease).StopAsync(lease.Attempt);
        Assert.False(discarded.Task.IsCompleted);
        silo.Workspace.BeforePrepare = null;
        release.SetResult();
        await discarded.Task.WaitAsync(TestSilo.Patience, TestContext.Current.CancellationToken);
        // A newer attempt on the same part finds nothing of the older one in its way.
        var newer = lease with { Attempt = lease.Attempt with { Epoch = 2, Id = Guid.NewGuid() } };
        await Part(newer).StartAsync(newer);
        Assert.Equal(newer.Attempt, (await EndAsync(newer)).Attempt);
        Assert.DoesNotContain(lease.Attempt, silo.Device.Opened);
    }

    [Fact]
    public async Task SampleEnded_WhileThePartStops_DoesNotWaitForIt()
    {
        var lease = NewLease(rows: 128);
        var segments = silo.Device.Hold(lease.Attempt.StageKey);
        await Part(lease).StartAsync(lease);
        for (var i = 0; i < lease.Rows.Count; i++)
            await NextAsync(segments);
        // Trajectories report to the part while the part waits for trajectories: among so many some cross.
        var calls = new List<Task>();
        for (var sample = 0; sample < lease.Rows.Count; sample++)
        {
            var trajectory = silo.Grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(lease.Attempt.StageKey, sample));
            calls.Add(trajectory.SegmentEndedAsync(lease.Attempt, 10, completed: true));
            if (sample == lease.Rows.Count / 2)
                calls.Add(Part(lease).StopAsync(lease.Attempt));
        }
        await Task.WhenAll(calls).WaitAsync(TestSilo.Patience / 2, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Start_RowsThatACheckpointHoldsComplete_AreNotRunAgain()
    {
        var lease = NewLease(rows: 4);
        silo.Workspace.Complete = row => row != 2;
        await Part(lease).StartAsync(lease);
        Assert.Equal(TestStages.Rows(0, 4), (await EndAsync(lease)).Published);
        Assert.Equal([2, 2, 2], silo.Device.Segments.Where(s => s.Attempt == lease.Attempt).Select(s => s.Sample));
    }

    [Fact]
    public async Task Start_OnASiloThatEnds_GivesThePartBackWithoutAFault()
    {
        var plan = TestStages.Plan("draining", TestStages.Planned(TestSilo.NewStage(), new(0, 32)));
        await silo.Sweep("draining").SubmitAsync(plan);
        var stage = silo.Stage(plan.Stages[0].Key);
        silo.Workspace.Draining = true;
        silo.Workspace.BeforePrepare = _ => throw new InvalidOperationException("the engine takes nothing more");
        var lease = await stage.LeaseAsync("worker", null);
        await Part(lease!).StartAsync(lease!);
        Assert.True((await EndAsync(lease!)).Published.IsEmpty);
        Assert.Equal(SweepState.Running, (await silo.Sweep("draining").GetStatusAsync()).State);
        Assert.Equal(lease!.Rows, (await stage.LeaseAsync("another", null))!.Rows);
    }

    [Fact]
    public async Task Start_EmptyPreparation_PublishesAtOnce()
    {
        var lease = NewLease(rows: 0);
        await Part(lease).StartAsync(lease);
        Assert.True((await EndAsync(lease)).Published.IsEmpty);
    }

    IPartGrain Part(PartLease lease) => silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey);

    [Fact]
    public async Task Publish_StageDoesNotAnswer_IsToldAgainBeforeThePartEnds()
    {
        var plan = TestStages.Plan("away", TestStages.Planned(TestSilo.NewStage(), new(0, 4)));
        await silo.Sweep("away").SubmitAsync(plan);
        var key = plan.Stages[0].Key;
        var lease = (await silo.Stage(key).LeaseAsync("worker", null))!;
        var away = new TaskCompletionSource();
        // What the lease left to write is written; then a second passes, so that the completion is written within its own call.
        silo.Time.Advance(TimeSpan.FromSeconds(2));
        await Task.Delay(TimeSpan.FromMilliseconds(200));
        silo.Time.Advance(TimeSpan.FromSeconds(2));
        silo.GrainState.BeforeWrite = row => row.Contains(key, StringComparison.Ordinal) && away.TrySetResult()
            ? throw new SiloUnavailableException("no answer") : Task.CompletedTask;
        try
        {
            await Part(lease).StartAsync(lease);
            await away.Task.WaitAsync(TestSilo.Patience);
            var ended = EndAsync(lease);
            await Task.Delay(TimeSpan.FromMilliseconds(100));
            Assert.False(ended.IsCompleted);

            while (!ended.IsCompleted)
            {
                silo.Time.Advance(TimeSpan.FromSeconds(0.1));
                await Task.Delay(TimeSpan.FromMilliseconds(10));
            }

            Assert.Equal(TestStages.Rows(0, 4), (await ended).Published);
            Assert.Equal(TestStages.Rows(0, 4), await silo.Stage(key).GetPublishedAsync(CaptureSelection.None));
        }
        finally
        {
            silo.GrainState.BeforeWrite = null;
            await silo.Sweep("away").CancelAsync();
        }
    }

    async Task<(PartAttempt Attempt, RowSet Published)> EndAsync(PartLease lease) =>
        await silo.Signal.Ended(lease.Attempt.StageKey).ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(
            TestSilo.Patience);

    static async Task<DeviceSegment> NextAsync(System.Threading.Channels.ChannelReader<DeviceSegment> segments) =>
        await segments.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TestSilo.Patience);

    static PartLease NewLease(int rows, StageSpec? spec = null)
    {
        spec ??= TestSilo.NewStage();
        return new(new(StageKey.Of(spec), 0, 1, Guid.NewGuid()), spec, new(0, rows), CaptureSelection.None, Supplement: false);
    }
}
