using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Taba.Diffusion.Engine;
using Taba.Grains.Faults;
using Taba.Grains.Stages;
using Taba.Grains.Telemetry;
using Taba.Grains.Trajectories;
using Taba.Storage.Checkpoints;
using Taba.Silo.Faults;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Engines;

/// <summary>
/// Takes one sample's tensors from the engine: captures to the part's scratch files, states to checkpoints, the result to the
/// part. Then, and only then, tells the trajectory's grain.
/// </summary>
sealed partial class SampleObserver(
    ActivePart part, int sample, PartCheckpoints checkpoints, IGrainFactory grains, SampleReports reports, FaultMonitor faults,
    LostInputs lost, EngineTroubles troubles, Abandonment abandonment, TimeProvider time, ILogger logger)
    : ITrajectoryObserver
{
    public void OnCaptured(int step, TensorKinds kind, ReadOnlySpan<byte> row) => part.Captures.Write(sample, step, kind, row);

    public void OnSegment(in SegmentOutcome outcome, ReadOnlySpan<byte> state)
    {
        Trace(outcome);
        var evaluations = part.AddEvaluations(sample, outcome.Evaluations);
        var computing = part.AddComputing(sample, outcome.Computing);
        if (outcome.Completed)
            state.CopyTo(part.ResultOf(sample).Span);
        // A completed sample has one too: until the rest of its part is done, its result is nowhere else.
        var checkpoint = new SampleCheckpoint(sample, outcome.NextStep, evaluations, state.ToArray()) { Computing = computing };
        reports.Track(ReportAsync(checkpoint, outcome.Completed));
    }

    public void OnFailed(int step, Exception error)
    {
        if (SampleFaults.IsEnd(error))
            return;
        if (FaultOwners.Known(error, part.Lease.Rows) is { } fault)
            GiveUp(error, fault);
        else
            reports.Track(FailAsync(step, error));
    }

    /// <summary>Notes the segment as a span, now that it has ended.</summary>
    void Trace(in SegmentOutcome outcome)
    {
        if (part.Span is not { } whole)
            return;
        var now = time.GetUtcNow();
        using var span = TraceLine.Source.StartActivity(
            "segment", ActivityKind.Internal, whole.Context, startTime: now - outcome.Elapsed);
        span?.SetTag("taba.sample", sample).SetTag("taba.step", outcome.NextStep).SetTag("taba.evaluations", outcome.Evaluations)
            .SetEndTime(now.UtcDateTime);
    }

    /// <summary>
    /// The grain asks for the next segment only when the checkpoint is on disk: then a kill costs a slot one segment, whatever
    /// the disk. The device does not wait, because the other half of the slots has work meanwhile.
    /// </summary>
    async Task ReportAsync(SampleCheckpoint checkpoint, bool completed)
    {
        try
        {
            // What was kept of the steps first: a checkpoint stands behind it.
            if (!part.Lease.Keep.IsEmpty)
                await Task.Run(part.Captures.Flush);
            checkpoints.Put(part.Lease.Attempt, checkpoint);
            if (!completed)
                await checkpoints.FlushAsync(part.Lease.Attempt, CancellationToken.None);
            if (!reports.Draining)
                await Trajectory.SegmentEndedAsync(part.Lease.Attempt, checkpoint.NextStep, completed);
        }
        catch (Exception exception)
        {
            ReportFailed(exception);
        }
    }

    async Task FailAsync(int step, Exception error)
    {
        try
        {
            await Trajectory.FailedAsync(part.Lease.Attempt, step, SampleFaults.KindOf(error), error.Message);
        }
        catch (Exception exception)
        {
            ReportFailed(exception);
        }
    }

    void ReportFailed(Exception exception)
    {
        // While the engine drains it refuses the next segment, and that is as it should be.
        if (reports.Draining && exception is not StoreException)
            return;
        if (exception is not StoreException)
            LogReportFailed(logger, sample, part.Lease.Attempt.StageKey, exception);
        GiveUp(exception, FaultOwners.Of(exception, part.Lease.Rows));
    }

    /// <summary>
    /// A sample whose progress nobody hears of would be held for ever. Its part goes back to its stage as a whole: without durable
    /// checkpoints none of its samples is of use.
    /// </summary>
    void GiveUp(Exception error, Fault fault)
    {
        var damage = LostInputs.In(error);
        var judged = part.Model is { } model ? troubles.Judge(fault, model) : fault;
        // Sixteen samples meet the same full disk at once. A broken engine has told of itself, and damage is mended.
        if (abandonment.TryBegin(part, () => damage is null ? Task.FromResult(judged) : lost.FaultAsync(damage))
            && fault.Rows.IsEmpty && damage is null)
            faults.Report(error, What);
    }

    string What => $"sample {sample} of stage {part.Lease.Attempt.StageKey}";

    ITrajectoryGrain Trajectory => grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(part.Lease.Attempt.StageKey, sample));

    [LoggerMessage(4001, LogLevel.Error, "The end of a segment of sample {Sample} of stage {Stage} could not be reported")]
    static partial void LogReportFailed(ILogger logger, int sample, string stage, Exception exception);
}
