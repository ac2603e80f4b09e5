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

/// <summary>One arranged case for every method of a grain that changes something.</summary>
static partial class MutatingCalls
{
    /// <summary>Methods that may act twice, each with its reason.</summary>
    public static readonly Dictionary<string, string> MayActTwice = new()
    {
        ["IDispatcherGrain.AskAsync"] = "each question may bring parts, and those whose answer is lost come free when their lease ends",
        ["IDispatcherGrain.OfferAsync"] = "it takes the place of what was said before, in memory; DispatchBoardTests has what is old",
        ["IDispatcherGrain.SetSweepsAsync"] = "it takes the place of what was said before, in memory",
        ["ISweepGrain.WakeAsync"] = "it changes nothing but that the grain is active",
        ["IModelGrain.OpenAsync"] = "its caller, the trajectory, does not open twice",
        ["IModelGrain.RunSegmentAsync"] = "its caller, the trajectory, does not ask twice",
    };

    public static readonly Dictionary<string, Func<TestSilo, Task<MutatingCall>>> Cases = new()
    {
        ["IStageGrain.FollowAsync"] = async silo =>
        {
            // It is told a second time when it asks a second time, and takes that for what it is: the same.
            var plan = await SubmittedAsync(silo, "twice-followed");
            var (parent, child) = (silo.Stage(plan.Stages[0].Key), plan.Stages[1].Key);
            var told = 0;
            return new(
                async () => told = (await parent.FollowAsync(child, CaptureSelection.None)).Rows.Count + 1,
                () => Task.FromResult($"told {told}"));
        },
        ["IStageGrain.InputsChangedAsync"] = async silo =>
        {
            var plan = await SubmittedAsync(silo, "twice-told");
            var child = silo.Stage(plan.Stages[1].Key);
            var report = new InputReport(plan.Stages[0].Key, CaptureSelection.None, new(Guid.NewGuid(), 5), TestStages.Rows(0, 32));
            var leased = RowSet.Empty;
            return new(
                async () =>
                {
                    await child.InputsChangedAsync(report);
                    if (await child.LeaseAsync("worker", null) is { } lease)
                        leased = leased.Add(lease.Rows);
                },
                () => Task.FromResult($"leased {leased}"),
                () => child.InputsChangedAsync(report with { Version = report.Version with { Count = 4 }, Rows = RowSet.Empty }));
        },
        ["ISweepGrain.StageChangedAsync"] = async silo =>
        {
            var plan = await SubmittedAsync(silo, "twice-reported");
            var status = await silo.Stage(plan.Stages[0].Key).GetStatusAsync(plan.SweepId) with { Done = TestStages.Rows(0, 32) };
            var report = new StageReport(new(Guid.NewGuid(), 5), status);
            return new(
                () => silo.Sweep(plan.SweepId).StageChangedAsync(report),
                async () => $"done {(await silo.Sweep(plan.SweepId).GetStatusAsync()).Stages[0].Done}",
                () => silo.Sweep(plan.SweepId).StageChangedAsync(
                    new(report.Version with { Count = 4 }, status with { Done = RowSet.Empty })));
        },
        ["IFleetGrain.ReportAsync"] = silo =>
        {
            var (fleet, fare) = (silo.Grains.GetGrain<IFleetGrain>(0), FleetTests.Fare("twice-reported", "twice@1", 10));
            return Task.FromResult(new MutatingCall(
                () => fleet.ReportAsync(fare),
                async () => string.Join("; ", (await fleet.GetAsync(new(0, 100))).Silos.Where(s => s.Fare.Silo == fare.Silo)
                    .Select(s => $"{s.Fare.Uptime} {s.Fare.PartsHeld} {s.Devices[0].Last.Seconds}")),
                () => fleet.ReportAsync(fare with { Uptime = TimeSpan.FromSeconds(8), PartsHeld = 7 })));
        },
        ["ISweepIndexGrain.AddAsync"] = silo => Task.FromResult(new MutatingCall(
            () => Index(silo).AddAsync(Entry("twice-added")), () => ObserveIndexAsync(silo, "twice-added"))),
        ["ISweepIndexGrain.ProgressAsync"] = async silo =>
        {
            await Index(silo).AddAsync(Entry("twice-progressed"));
            var progress = new SweepProgress("twice-progressed", 7, 10, 100, 1, 5, TimeSpan.FromSeconds(18), 2);
            return new(
                () => Index(silo).ProgressAsync(progress), () => ObserveIndexAsync(silo, "twice-progressed"),
                () => Index(silo).ProgressAsync(progress with { Version = 6, EvaluationsDone = 5 }));
        },
        ["ISweepGrain.MetricsAsync"] = async silo =>
        {
            var plan = TestStages.Chain("twice-measured", 32, TestSilo.NewStage()) with
            {
                Runs = [new("run", [], null, new(0, 32), TestStages.Model, [])],
            };
            var sweep = silo.Sweep(plan.SweepId);
            await sweep.SubmitAsync(plan);
            return new(
                () => sweep.MetricsAsync(new("run", [new("error", 0.5)])),
                async () => string.Join(' ', (await sweep.GetMetricsAsync()).SelectMany(r => r.Numbers)));
        },
        ["ISweepIndexGrain.ForgetAsync"] = async silo =>
        {
            await Index(silo).AddAsync(Entry("twice-unlisted"));
            await Index(silo).EndAsync("twice-unlisted", SweepState.Completed);
            return new(() => Index(silo).ForgetAsync(["twice-unlisted"]), () => ObserveIndexAsync(silo, "twice-unlisted"));
        },
        ["ISweepGrain.ForgetAsync"] = async silo =>
        {
            var plan = TestStages.Chain("twice-forgotten", 32, TestSilo.NewStage());
            await silo.Sweep(plan.SweepId).SubmitAsync(plan);
            await silo.Sweep(plan.SweepId).CancelAsync();
            return new(() => silo.Sweep(plan.SweepId).ForgetAsync(), () => ObserveSweepAsync(silo, plan));
        },
        ["IStageGrain.ForgetAsync"] = async silo =>
        {
            var (stage, lease) = await LeasedAsync(silo);
            await stage.WithdrawAsync("s");
            await stage.GiveBackAsync(lease.Attempt, null);
            return new(() => stage.ForgetAsync(), () => ObserveStageAsync(silo, stage));
        },
        ["ISweepIndexGrain.EndAsync"] = async silo =>
        {
            await Index(silo).AddAsync(Entry("twice-ended"));
            return new(() => Index(silo).EndAsync("twice-ended", SweepState.Completed), () => ObserveIndexAsync(silo, "twice-ended"));
        },
        ["ISweepGrain.SubmitAsync"] = silo =>
        {
            var plan = TestStages.Chain("twice-submitted", 32, TestSilo.NewStage());
            return Task.FromResult(new MutatingCall(() => silo.Sweep(plan.SweepId).SubmitAsync(plan), () => ObserveSweepAsync(silo, plan)));
        },
        ["ISweepGrain.CancelAsync"] = async silo =>
        {
            var plan = TestStages.Chain("twice-cancelled", 32, TestSilo.NewStage());
            await silo.Sweep(plan.SweepId).SubmitAsync(plan);
            return new(() => silo.Sweep(plan.SweepId).CancelAsync(), () => ObserveSweepAsync(silo, plan));
        },
        ["ISweepGrain.PauseAsync"] = async silo =>
        {
            var plan = await SubmittedAsync(silo, "twice-paused-sweep");
            return new(() => silo.Sweep(plan.SweepId).PauseAsync(), () => ObserveSweepAsync(silo, plan));
        },
        ["ISweepGrain.ResumeAsync"] = async silo =>
        {
            var plan = await SubmittedAsync(silo, "twice-resumed");
            await silo.Sweep(plan.SweepId).PauseAsync();
            return new(() => silo.Sweep(plan.SweepId).ResumeAsync(), () => ObserveSweepAsync(silo, plan));
        },
        ["ISweepGrain.RetryAsync"] = async silo =>
        {
            var plan = await SubmittedAsync(silo, "twice-retried");
            await silo.Sweep(plan.SweepId).CancelAsync();
            return new(() => silo.Sweep(plan.SweepId).RetryAsync(), () => ObserveSweepAsync(silo, plan));
        },
        ["IStageGrain.DemandAsync"] = silo =>
        {
            var spec = TestSilo.NewStage();
            var stage = silo.Stage(StageKey.Of(spec));
            return Task.FromResult(new MutatingCall(
                () => stage.DemandAsync(new("s", spec, new(0, 64), CaptureSelection.None)), () => ObserveStageAsync(silo, stage)));
        },
        ["IStageGrain.WithdrawAsync"] = async silo =>
        {
            var (stage, _) = await LeasedAsync(silo);
            return new(() => stage.WithdrawAsync("s"), () => ObserveStageAsync(silo, stage));
        },
        ["IStageGrain.LeaseAsync"] = async silo =>
        {
            // One part only: asked again there is nothing left to lease, whoever asks.
            var (stage, _) = await LeasedAsync(silo, rows: 64);
            return new(() => stage.LeaseAsync("worker", null), () => ObserveStageAsync(silo, stage), () => stage.LeaseAsync("another", 40));
        },
        ["IStageGrain.RenewAsync"] = async silo =>
        {
            var (stage, lease) = await LeasedAsync(silo);
            silo.Time.Advance(TimeSpan.FromSeconds(20));
            return new(
                () => stage.RenewAsync("worker", [new(lease.Attempt, 7)]),
                () => ObserveStageAsync(silo, stage),
                async () => Assert.Equal([false], await stage.RenewAsync("worker", [new(Older(lease.Attempt), 99)])));
        },
        ["IStageGrain.CompleteAsync"] = async silo =>
        {
            var (stage, lease) = await LeasedAsync(silo);
            var failure = new SampleFailure(lease.Attempt.StageKey, 3, 5, "NaN");
            var others = RowSet.Of(new RowRange(0, 3), new RowRange(4, 32));
            return new(
                () => stage.CompleteAsync(lease.Attempt, others, lease.Keep, [failure]),
                () => ObserveStageAsync(silo, stage),
                () => stage.CompleteAsync(Older(lease.Attempt), others, lease.Keep, [failure with { Sample = 4 }]));
        },
        ["IStageGrain.GiveBackAsync"] = async silo =>
        {
            var (stage, lease) = await LeasedAsync(silo);
            return new(
                () => stage.GiveBackAsync(lease.Attempt, null),
                () => ObserveStageAsync(silo, stage),
                () => stage.GiveBackAsync(Older(lease.Attempt), new(FaultOwner.Host, "a fault of before")));
        },
        ["IStageGrain.LookAgainAsync"] = async silo =>
        {
            var (stage, lease) = await LeasedAsync(silo);
            silo.Store.Publish(lease.Attempt, lease.Rows, lease.Keep, supplement: false);
            return new(() => stage.LookAgainAsync(lease.Rows), () => ObserveStageAsync(silo, stage));
        },
        ["ISweepGrain.LookAgainAsync"] = async silo =>
        {
            var (stage, lease) = await LeasedAsync(silo);
            silo.Store.Publish(lease.Attempt, lease.Rows, lease.Keep, supplement: false);
            return new(
                () => silo.Sweep("s").LookAgainAsync(lease.Attempt.StageKey, lease.Rows), () => ObserveStageAsync(silo, stage));
        },
        ["IPartGrain.StartAsync"] = silo =>
        {
            var lease = HeldLease(silo);
            var started = false;
            return Task.FromResult(new MutatingCall(
                async () =>
                {
                    await Part(silo, lease).StartAsync(lease);
                    // What the first start begins goes on after it returned.
                    if (!started)
                        await SegmentsAsync(silo, lease);
                    started = true;
                },
                () => ObservePartAsync(silo, lease),
                () => Part(silo, lease).StartAsync(lease with { Attempt = Older(lease.Attempt) })));
        },
        ["IPartGrain.SampleEndedAsync"] = async silo =>
        {
            var lease = await RunningAsync(silo);
            return new(
                () => Part(silo, lease).SampleEndedAsync(lease.Attempt, 0, null),
                () => ObservePartAsync(silo, lease),
                () => Part(silo, lease).SampleEndedAsync(Older(lease.Attempt), 1, null));
        },
        ["IPartGrain.StopAsync"] = async silo =>
        {
            var lease = await RunningAsync(silo);
            return new(
                () => Part(silo, lease).StopAsync(lease.Attempt),
                () => ObservePartAsync(silo, lease),
                () => Part(silo, lease).StopAsync(Older(lease.Attempt)));
        },
        ["IPartGrain.AbandonAsync"] = async silo =>
        {
            var lease = await RunningAsync(silo);
            var fault = new Fault(FaultOwner.Host, "the disk is full");
            return new(
                () => Part(silo, lease).AbandonAsync(lease.Attempt, fault),
                () => ObservePartAsync(silo, lease),
                () => Part(silo, lease).AbandonAsync(Older(lease.Attempt), fault));
        },
        ["ITrajectoryGrain.StartAsync"] = async silo =>
        {
            var lease = HeldLease(silo);
            await silo.Workspace.PrepareAsync(lease, CancellationToken.None);
            var order = new TrajectoryOrder(lease.Attempt, 0, new("device", "engine"), 0, 10);
            return new(
                () => Trajectory(silo, lease).StartAsync(order),
                () => ObservePartAsync(silo, lease),
                () => Trajectory(silo, lease).StartAsync(order with { Attempt = Older(lease.Attempt) }));
        },
        ["ITrajectoryGrain.SegmentEndedAsync"] = async silo =>
        {
            var lease = await RunningAsync(silo);
            return new(
                () => Trajectory(silo, lease).SegmentEndedAsync(lease.Attempt, 4, completed: false),
                () => ObservePartAsync(silo, lease),
                () => Trajectory(silo, lease).SegmentEndedAsync(Older(lease.Attempt), 8, completed: false));
        },
        ["ITrajectoryGrain.FailedAsync"] = async silo =>
        {
            var lease = await RunningAsync(silo);
            return new(
                () => Trajectory(silo, lease).FailedAsync(lease.Attempt, 2, FailureKind.NonFinite, "NaN"),
                () => ObservePartAsync(silo, lease),
                () => Trajectory(silo, lease).FailedAsync(Older(lease.Attempt), 3, FailureKind.NonFinite, "NaN"));
        },
        ["ITrajectoryGrain.StopAsync"] = async silo =>
        {
            var lease = await RunningAsync(silo);
            return new(
                () => Trajectory(silo, lease).StopAsync(lease.Attempt),
                () => ObservePartAsync(silo, lease),
                () => Trajectory(silo, lease).StopAsync(Older(lease.Attempt)));
        },
        ["IStoreUpkeepGrain.EnsureAsync"] = async silo =>
        {
            var upkeep = silo.Grains.GetGrain<IStoreUpkeepGrain>(0);
            await silo.ForgetRemindersAsync(upkeep);
            return new(upkeep.EnsureAsync, () => silo.ObserveRemindersAsync(upkeep));
        },
        ["IModelGrain.AcquireAsync"] = silo =>
        {
            var (model, lease) = (Model(silo, "acquired twice"), HeldLease(silo));
            return Task.FromResult(new MutatingCall(
                () => model.AcquireAsync(lease.Attempt, lease.Spec).AsTask(), () => ObserveModelAsync(silo, model)));
        },
        ["IModelGrain.ReleaseAsync"] = async silo =>
        {
            var (model, lease) = (Model(silo, "released twice"), HeldLease(silo));
            await model.AcquireAsync(lease.Attempt, lease.Spec);
            return new(
                () => model.ReleaseAsync(lease.Attempt).AsTask(), () => ObserveModelAsync(silo, model),
                () => model.ReleaseAsync(Older(lease.Attempt)).AsTask());
        },
        ["IModelGrain.UnloadAsync"] = async silo =>
        {
            var (model, lease) = (Model(silo, "unloaded twice"), HeldLease(silo));
            await model.AcquireAsync(lease.Attempt, lease.Spec);
            await model.ReleaseAsync(lease.Attempt);
            return new(model.UnloadAsync, () => ObserveModelAsync(silo, model));
        },
        ["IModelGrain.CloseAsync"] = async silo =>
        {
            var lease = HeldLease(silo);
            await silo.Workspace.PrepareAsync(lease, CancellationToken.None);
            var model = Model(silo, "closed");
            var slot = await model.OpenAsync(lease.Attempt, 0);
            return new(
                () => model.CloseAsync(slot).AsTask(),
                () => ObservePartAsync(silo, lease),
                () => model.CloseAsync(new SlotHandle(Guid.NewGuid(), slot.Index)).AsTask());
        },
    };
}
