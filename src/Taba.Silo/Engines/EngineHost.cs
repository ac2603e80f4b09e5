using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Diffusion.Engine;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Storage.Checkpoints;
using Taba.Silo.Faults;
using Taba.Silo.Parts;

namespace Taba.Silo.Engines;

/// <summary>This silo's engines, as grains and the worker ask for them: slots, segments, room.</summary>
sealed class EngineHost(
    EngineRegistry engines,
    EngineLoader loader,
    ActiveParts parts,
    SampleReports reports,
    PartCheckpoints checkpoints,
    IGrainFactory grains,
    FaultMonitor faults,
    LostInputs lost,
    EngineTroubles troubles,
    IOptions<EngineSettings> settings,
    TimeProvider time,
    ILogger<EngineHost> logger) : IEngineHost, IEngineCapacity
{
    public int SegmentSteps => settings.Value.CheckpointEverySteps ?? SegmentPace.MostSteps;

    public bool CanWork => !troubles.Any;

    public int Slots => 2 * BatchSize;

    public int BatchSize => loader.BatchSize;

    public bool Draining => reports.Draining;

    public string EngineKey(StageSpec spec) => StageEngine.Of(spec);

    public bool IsLoaded(string engineKey) => engines.IsLoaded(engineKey);

    public SlotHandle Open(PartAttempt attempt, int sample)
    {
        var part = parts.Get(attempt);
        var spec = part.Lease.Spec;
        var row = part.Row(sample);
        var start = part.Starts[row];
        var forward = spec.Forward is not null && !start.FromCheckpoint ? part.ForwardNoise : null;
        return part.Engine.Engine.Open(new TrajectoryRequest
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
            Observer = new SampleObserver(part, sample, checkpoints, grains, reports, faults, lost, time, logger),
        });
    }

    public void RunSegment(SlotHandle slot, int steps)
    {
        var loaded = engines.Find(slot)
            ?? throw new ObjectDisposedException(nameof(DenoisingEngine), $"Slot {slot.Index} belongs to an engine that is gone.");
        var most = settings.Value.CheckpointEverySteps ?? loaded.Pace.Steps(loaded.Engine.Statistics);
        loaded.Engine.RunSegment(slot, Math.Min(steps, most));
    }

    public void Close(SlotHandle slot) => engines.Find(slot)?.Engine.Close(slot);

    /// <summary>Lets running segments end and accepts no new ones. Their checkpoints are on their way to the disk afterwards.</summary>
    public async Task DrainAsync()
    {
        reports.BeginDraining();
        await engines.DrainAsync();
        await reports.AllAsync();
    }
}
