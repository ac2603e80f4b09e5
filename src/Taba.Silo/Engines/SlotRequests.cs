using Microsoft.Extensions.Logging;
using Taba.Diffusion.Engine;
using Taba.Grains.Stages;
using Taba.Silo.Faults;
using Taba.Storage.Checkpoints;

namespace Taba.Silo.Engines;

/// <summary>Says what an engine is to do with a row of a prepared part.</summary>
sealed class SlotRequests(
    ActiveParts parts, SampleReports reports, EngineTroubles troubles, PartCheckpoints checkpoints, LostInputs lost,
    IGrainFactory grains, FaultMonitor faults, Abandonment abandonment, TimeProvider time, ILogger<SlotRequests> logger)
{
    public TrajectoryRequest Of(PartAttempt attempt, int sample)
    {
        var part = parts.Get(attempt);
        var spec = part.Lease.Spec;
        var row = part.Row(sample);
        var start = part.Starts[row];
        var forward = spec.Forward is not null && !start.FromCheckpoint ? part.ForwardNoise : null;
        return new TrajectoryRequest
        {
            Schedule = part.Schedule,
            Direction = part.Direction,
            FirstStep = start.Step,
            State = start.State,
            ForwardNoise = forward?.AsMemory(row * part.RowBytes, part.RowBytes),
            ForwardAlphaBar = forward is null ? 0 : part.Schedule.ForwardAlphaBar(spec.Forward!.Before),
            ClassLabel = part.Labels?[row],
            Text = part.Prompts?[row],
            NullText = part.NullPrompt,
            Guidance = spec.Guidance,
            Swap = spec.Swap?.Kind,
            SwapBefore = spec.Swap?.Before ?? 0,
            SwapRow = part.Swap is { } swap ? step => swap.Row(sample, step) : null,
            Captures = part.Lease.Keep.IsEmpty ? null : part.Lease.Keep.At,
            Tag = new EvaluationTag(attempt.StageKey, sample, part),
            Observer = new SampleObserver(part, sample, checkpoints, grains, reports, faults, lost, troubles, abandonment, time, logger),
        };
    }
}
