using Microsoft.Extensions.Logging;
using Taba.Diffusion.Engine;
using Taba.Grains.Sweeps;
using Taba.Grains.Trajectories;
using Taba.Silo.Checkpoints;
using Taba.Silo.Hosting;

namespace Taba.Silo.Engines;

/// <summary>
/// Takes one sample's tensors from the engine: captures to the part's scratch files, states to checkpoints, the result to the
/// part. Then, and only then, tells the trajectory's grain.
/// </summary>
sealed partial class SampleObserver(
    ActivePart part, int sample, ICheckpointStore checkpoints, IGrainFactory grains, FaultMonitor faults, ILogger logger) : ITrajectoryObserver
{
    // Captures since the last checkpoint: they become durable together with the next one.
    List<CapturedRow> _pending = [];

    public void OnCaptured(int step, CaptureKinds kind, ReadOnlySpan<byte> row)
    {
        var tensor = (TensorKinds)(int)kind;
        part.WriteCapture(sample, step, tensor, row);
        _pending.Add(new(step, tensor, row.ToArray()));
    }

    public void OnSegment(in SegmentOutcome outcome, ReadOnlySpan<byte> state)
    {
        var evaluations = part.AddEvaluations(sample, outcome.Evaluations);
        var captures = _pending;
        _pending = [];
        CheckpointRecord? record = null;
        if (outcome.Completed)
            state.CopyTo(part.ResultOf(sample).Span);
        else
            record = new(part.Lease.Attempt.StageKey, sample, part.KeepDigest, outcome.NextStep, evaluations, state.ToArray(), captures);
        ReportAsync(record, outcome.NextStep, outcome.Completed).Ignore();
    }

    public void OnFailed(int step, Exception error)
    {
        if (error is ObjectDisposedException or OperationCanceledException)
            return;
        FailAsync(step, error).Ignore();
    }

    /// <summary>The grain asks for the next segment only when the checkpoint is queued: a slow disk slows the sample, not the engine.</summary>
    async Task ReportAsync(CheckpointRecord? record, int nextStep, bool completed)
    {
        try
        {
            if (record is not null)
                await checkpoints.PutAsync(record, CancellationToken.None);
            await Trajectory.SegmentEndedAsync(part.Lease.Attempt, nextStep, completed);
        }
        catch (Exception exception)
        {
            LogReportFailed(logger, sample, part.Lease.Attempt.StageKey, exception);
            faults.Report(exception, $"sample {sample} of stage {part.Lease.Attempt.StageKey}");
        }
    }

    async Task FailAsync(int step, Exception error)
    {
        try
        {
            await Trajectory.FailedAsync(part.Lease.Attempt, step, error.Message);
        }
        catch (Exception exception)
        {
            LogReportFailed(logger, sample, part.Lease.Attempt.StageKey, exception);
            faults.Report(exception, $"sample {sample} of stage {part.Lease.Attempt.StageKey}");
        }
    }

    ITrajectoryGrain Trajectory => grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(part.Lease.Attempt.StageKey, sample));

    [LoggerMessage(4001, LogLevel.Error, "The end of a segment of sample {Sample} of stage {Stage} could not be reported")]
    static partial void LogReportFailed(ILogger logger, int sample, string stage, Exception exception);
}
