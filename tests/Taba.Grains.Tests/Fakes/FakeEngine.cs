using System.Collections.Concurrent;
using System.Threading.Channels;
using Taba.Grains.Models;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Trajectories;

namespace Taba.Grains.Tests.Fakes;

/// <summary>
/// A device that completes segments at once, or, for stages that a test holds, when the test says so. Like the real one it reports
/// to the trajectory's grain from outside of any grain.
/// </summary>
sealed class FakeEngine(IGrainFactory grains, FakeWorkspace workspace, DeviceScript script) : IModelEngine
{
    /// <summary>The most steps of a segment.</summary>
    const int SegmentSteps = 4;

    readonly Guid _incarnation = Guid.NewGuid();
    readonly ConcurrentDictionary<long, Slot> _slots = new();
    long _next;

    int _reserved;

    public EngineStatus Status => new(
        "fake", Volatile.Read(ref _reserved) == 1 ? EngineResidency.Loaded : EngineResidency.Unloaded, 32, _slots.Count, 0, 16, 0, 0,
        InPass: null, Fault: null);

    public bool TryReserve() => Interlocked.Exchange(ref _reserved, 1) == 0;

    public Task LoadAsync(StageSpec spec)
    {
        script.Loads.Enqueue(spec);
        return Task.CompletedTask;
    }

    public async Task UnloadAsync()
    {
        Volatile.Write(ref _reserved, 0);
        if (script.BeforeUnload is { } wait)
            await wait;
    }

    public SlotHandle Open(PartAttempt attempt, int sample)
    {
        script.Opened.Enqueue(attempt);
        var index = Interlocked.Increment(ref _next);
        _slots[index] = new(attempt, sample, workspace.Lease(attempt).Spec.FirstStep);
        return new(_incarnation, index);
    }

    public void RunSegment(SlotHandle ticket, int steps)
    {
        var slot = _slots[ticket.Index];
        slot.Step += Math.Min(steps, SegmentSteps);
        var spec = workspace.Lease(slot.Attempt).Spec;
        var segment = new DeviceSegment(slot.Attempt, slot.Sample, slot.Step, slot.Step == spec.NumInferenceSteps);
        script.Segments.Enqueue(segment);
        if (script.Held.TryGetValue(slot.Attempt.StageKey, out var held))
            held.Writer.TryWrite(segment);
        else
            _ = ReportAsync(segment, script.Failure?.Invoke(spec, slot.Sample));
    }

    public void Close(SlotHandle slot)
    {
        if (slot.Incarnation == _incarnation && _slots.TryRemove(slot.Index, out var closed))
            script.Closed.Enqueue((closed.Attempt, closed.Sample));
    }

    Task ReportAsync(DeviceSegment segment, string? failure)
    {
        var trajectory = grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(segment.Attempt.StageKey, segment.Sample));
        return failure is null
            ? trajectory.SegmentEndedAsync(segment.Attempt, segment.EndStep, segment.Completed)
            : trajectory.FailedAsync(segment.Attempt, segment.EndStep - 1, script.FailureKind, failure);
    }

    sealed class Slot(PartAttempt attempt, int sample, int step)
    {
        public PartAttempt Attempt { get; } = attempt;

        public int Sample { get; } = sample;

        public int Step { get; set; } = step;
    }
}

/// <summary>Steps that a trajectory asked the device for.</summary>
sealed record DeviceSegment(PartAttempt Attempt, int Sample, int EndStep, bool Completed);

/// <summary>What a test tells the device, and what the device was asked.</summary>
sealed class DeviceScript
{
    /// <summary>Why a sample fails in its first segment; null when it does not.</summary>
    public Func<StageSpec, int, string?>? Failure { get; set; }

    /// <summary>Of what kind these failures are.</summary>
    public FailureKind FailureKind { get; set; }

    /// <summary>Models that a device keeps.</summary>
    public int MaxModels { get; set; } = 3;

    /// <summary>What an engine that is unloaded waits for.</summary>
    public Task? BeforeUnload { get; set; }

    public ConcurrentDictionary<string, Channel<DeviceSegment>> Held { get; } = new();

    public ConcurrentQueue<StageSpec> Loads { get; } = new();

    public ConcurrentQueue<PartAttempt> Opened { get; } = new();

    public ConcurrentQueue<DeviceSegment> Segments { get; } = new();

    public ConcurrentQueue<(PartAttempt Attempt, int Sample)> Closed { get; } = new();

    /// <summary>From now on segments of a stage end only when the test reports them; here they are, in order.</summary>
    public ChannelReader<DeviceSegment> Hold(string stageKey) =>
        Held.GetOrAdd(stageKey, _ => Channel.CreateUnbounded<DeviceSegment>()).Reader;
}
