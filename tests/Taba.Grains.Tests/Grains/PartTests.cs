using Taba.Grains.Parts;
using Taba.Grains.Stages;
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
    public async Task Start_ForwardReplacement_BeginsAfterTheReplacedSteps()
    {
        var spec = TestStages.InvertOf(TestSilo.NewStage()) with { Forward = new(5, TestStages.Noise(999, 128)) };
        var lease = NewLease(rows: 1, spec: spec);
        await Part(lease).StartAsync(lease);
        await EndAsync(lease);
        Assert.Equal([9, 10], silo.Device.Segments.Where(s => s.Attempt == lease.Attempt).Select(s => s.EndStep));
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
        Assert.Equal(TestStages.Rows(0, 2), await silo.Stage(lease.Attempt.StageKey).GetPublishedAsync(CaptureSelection.None));
    }

    [Fact]
    public async Task Stop_WhilePreparing_DiscardsWhenThePreparationIsOver()
    {
        var lease = NewLease(rows: 2);
        var preparing = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var discardedBefore = -1;
        silo.Workspace.BeforePrepare = async _ =>
        {
            preparing.SetResult();
            await release.Task;
            discardedBefore = silo.Workspace.Discarded.Count(a => a == lease.Attempt);
        };
        await Part(lease).StartAsync(lease);
        await preparing.Task.WaitAsync(TestSilo.Patience, TestContext.Current.CancellationToken);
        await Part(lease).StopAsync(lease.Attempt);
        release.SetResult();
        // A newer attempt on the same part waits for nothing of the older one.
        silo.Workspace.BeforePrepare = null;
        var newer = lease with { Attempt = lease.Attempt with { Epoch = 2, Id = Guid.NewGuid() } };
        await Part(newer).StartAsync(newer);
        Assert.Equal(newer.Attempt, (await EndAsync(newer)).Attempt);
        Assert.Equal(0, discardedBefore);
        Assert.DoesNotContain(lease.Attempt, silo.Device.Opened);
    }

    [Fact]
    public async Task SampleEnded_WhileThePartStops_DoesNotWaitForIt()
    {
        var lease = NewLease(rows: 2);
        var segments = silo.Device.Hold(lease.Attempt.StageKey);
        await Part(lease).StartAsync(lease);
        var first = await NextAsync(segments);
        await NextAsync(segments);
        var trajectory = silo.Grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(lease.Attempt.StageKey, first.Sample));
        // The trajectory reports to the part while the part waits for the trajectory.
        var stop = Part(lease).StopAsync(lease.Attempt);
        var ended = trajectory.SegmentEndedAsync(lease.Attempt, 10, completed: true);
        await Task.WhenAll(stop, ended).WaitAsync(TestSilo.Patience / 2, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Start_EmptyPreparation_PublishesAtOnce()
    {
        var lease = NewLease(rows: 0);
        await Part(lease).StartAsync(lease);
        Assert.True((await EndAsync(lease)).Published.IsEmpty);
    }

    IPartGrain Part(PartLease lease) => silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey);

    async Task<(PartAttempt Attempt, RowSet Published)> EndAsync(PartLease lease) =>
        await silo.Signal.Ended(lease.Attempt.StageKey).ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TestSilo.Patience);

    static async Task<DeviceSegment> NextAsync(System.Threading.Channels.ChannelReader<DeviceSegment> segments) =>
        await segments.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TestSilo.Patience);

    static PartLease NewLease(int rows, StageSpec? spec = null)
    {
        spec ??= TestSilo.NewStage();
        return new(new(StageKey.Of(spec), 0, 1, Guid.NewGuid()), spec, new(0, rows), CaptureSelection.None, Supplement: false);
    }
}
