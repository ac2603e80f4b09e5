using System.Collections.Immutable;
using Taba.Grains.Errors;
using Taba.Grains.Faults;
using Taba.Grains.Models;
using Taba.Grains.Parts;
using Taba.Grains.Placement;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Tests.Fakes;
using Taba.Grains.Trajectories;
using Taba.Grains.Upkeep;

namespace Taba.Grains.Tests.Grains;

/// <summary>What the cases begin with, and what shows that something changed.</summary>
static partial class MutatingCalls
{
    static IModelGrain Model(TestSilo silo, string engine) => silo.Grains.GetGrain<IModelGrain>(
        PinnedToSiloPlacement.Key(silo.Cluster.Silos[0].SiloAddress, new(engine, engine)));

    static async Task<string> ObserveModelAsync(TestSilo silo, IModelGrain model)
    {
        var status = await model.GetStatusAsync();
        return $"{status.Engine.Residency}, parts {status.Parts}, loads {silo.Device.Loads.Count}";
    }

    static ISweepIndexGrain Index(TestSilo silo) => silo.Grains.GetGrain<ISweepIndexGrain>(0);

    static async Task<SweepPlan> SubmittedAsync(TestSilo silo, string id)
    {
        var plan = TestStages.Chain(id, 32, TestSilo.NewStage());
        await silo.Sweep(id).SubmitAsync(plan);
        return plan;
    }

    static IPartGrain Part(TestSilo silo, PartLease lease) => silo.Grains.GetGrain<IPartGrain>(lease.Attempt.PartKey);

    static ITrajectoryGrain Trajectory(TestSilo silo, PartLease lease) =>
        silo.Grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(lease.Attempt.StageKey, 0));

    static PartAttempt Older(PartAttempt attempt) => attempt with { Epoch = attempt.Epoch - 1, Id = Guid.NewGuid() };

    static async Task<(IStageGrain Stage, PartLease Lease)> LeasedAsync(TestSilo silo, int rows = 32)
    {
        var spec = TestSilo.NewStage();
        var stage = silo.Stage(StageKey.Of(spec));
        await stage.DemandAsync(new("s", spec, new(0, rows), CaptureSelection.None));
        return (stage, (await stage.LeaseAsync("worker", null))!);
    }

    /// <summary>A part of two samples on a device that waits for the test.</summary>
    static PartLease HeldLease(TestSilo silo)
    {
        var spec = TestSilo.NewStage();
        silo.Device.Hold(StageKey.Of(spec));
        return new(new(StageKey.Of(spec), 0, 5, Guid.NewGuid()), spec, new(0, 2), CaptureSelection.None, Supplement: false);
    }

    static async Task<PartLease> RunningAsync(TestSilo silo)
    {
        var lease = HeldLease(silo);
        await Part(silo, lease).StartAsync(lease);
        await SegmentsAsync(silo, lease);
        return lease;
    }

    /// <summary>Waits until each sample has asked the device for steps.</summary>
    static async Task SegmentsAsync(TestSilo silo, PartLease lease)
    {
        var segments = silo.Device.Hold(lease.Attempt.StageKey);
        for (var i = 0; i < lease.Rows.Count; i++)
            await segments.ReadAsync().AsTask().WaitAsync(TestSilo.Patience);
    }

    static async Task<string> ObserveIndexAsync(TestSilo silo, string id) =>
        string.Join("; ", (await Index(silo).GetPageAsync(0, SweepPage.MostEntries)).Entries.Where(sweep => sweep.SweepId == id));

    static SweepEntry Entry(string id) => new(id, "name", 0, Paused: false, DateTimeOffset.UnixEpoch, Ended: null, EndedAt: null);

    static async Task<string> ObserveSweepAsync(TestSilo silo, SweepPlan plan)
    {
        string status;
        try
        {
            var s = await silo.Sweep(plan.SweepId).GetStatusAsync();
            status = $"{s.State} version {s.Version}, log {(await silo.Sweep(plan.SweepId).GetLogAsync()).Length}";
        }
        catch (CallException)
        {
            status = "unknown";
        }
        var stages = await Task.WhenAll(plan.Stages.Select(s => silo.Stage(s.Key).GetStatusAsync(plan.SweepId).AsTask()));
        return $"{status}, {await ObserveIndexAsync(silo, plan.SweepId)}, wanted "
            + $"{string.Join(' ', stages.Select(s => s.RowsWanted))}";
    }

    static async Task<string> ObserveStageAsync(TestSilo silo, IStageGrain stage)
    {
        var status = await stage.GetStatusAsync("s");
        var published = await stage.GetPublishedAsync(CaptureSelection.None);
        var state = silo.GrainState.Find($"stage/{stage.GetGrainId()}");
        return $"wanted {status.RowsWanted}, done {status.Done}, leased {status.PartsLeased}, evaluations {status.EvaluationsDone}, "
            + $"fault {status.Fault}, "
            + $"failed {string.Join(' ', status.Failures.Select(f => f.Sample))}, published {published}, written {state?.ETag}";
    }

    /// <summary>What a part and its trajectories did to the workspace, the device and themselves.</summary>
    static async Task<string> ObservePartAsync(TestSilo silo, PartLease lease)
    {
        var part = await Part(silo, lease).GetStatusAsync();
        var trajectory = await Trajectory(silo, lease).GetStatusAsync();
        bool Mine(PartAttempt attempt) => attempt.StageKey == lease.Attempt.StageKey;
        return $"prepared {silo.Workspace.Prepared.Count(l => Mine(l.Attempt))}, discarded {silo.Workspace.Discarded.Count(Mine)}, "
            + $"opened {silo.Device.Opened.Count(Mine)}, segments {silo.Device.Segments.Count(s => Mine(s.Attempt))}, "
            + $"closed {silo.Device.Closed.Count(c => Mine(c.Attempt))}, attempt {part.Attempt?.Epoch}, ended {part.SamplesEnded}, "
            + $"trajectory at {trajectory.NextStep} running {trajectory.Running}, manifests "
                + $"{silo.Store.Manifests(lease.Attempt.StageKey).Count}";
    }
}
