using Taba.Diffusion.Engine;
using Taba.Grains.Faults;
using Taba.Grains.Models;
using Taba.Grains.Parts;
using Taba.Grains.Ports;
using Taba.Grains.Trajectories;
using Taba.Silo.Faults;
using Taba.Simulation.Checks;
using Taba.Simulation.Cluster;
using Taba.Storage.Checkpoints;

namespace Taba.Simulation.Work;

/// <summary>
/// An engine whose steps take time and nothing else. What it does with the end of a segment is what the real observer does: first the
/// checkpoint, then the report.
/// </summary>
sealed class SimEngine(SimSilo silo, SimParts parts, PartCheckpoints checkpoints) : IModelEngine
{
    readonly Guid _incarnation = Guid.NewGuid();
    readonly Dictionary<long, Slot> _slots = [];
    readonly Queue<(Slot Slot, int Steps)> _pending = [];
    TaskCompletionSource _loaded = new();
    EngineResidency _residency;
    long _next;
    int _inUse;

    Settings Settings => silo.Cluster.Settings;

    Facts Facts => silo.Cluster.Facts;

    public EngineStatus Status => new("sim", _residency, Settings.Slots, _inUse, _pending.Count, Settings.BatchSize, 0, 0, null, null);

    public bool TryReserve()
    {
        if (_residency != EngineResidency.Unloaded)
            return false;
        _residency = EngineResidency.Loading;
        return true;
    }

    public async Task LoadAsync(StageSpec spec)
    {
        await Task.Delay(silo.World.Random.Seconds(0.1, 2) * silo.Machine.Slowness, silo.Time);
        _residency = EngineResidency.Loaded;
        _loaded.TrySetResult();
    }

    public Task UnloadAsync()
    {
        _residency = EngineResidency.Unloaded;
        _loaded = new();
        return Task.CompletedTask;
    }

    public Task LoadedAsync() => _loaded.Task;

    public SlotHandle Open(PartAttempt attempt, int sample)
    {
        var part = parts.Find(attempt);
        var slot = new Slot(++_next, attempt, sample) { Step = part?.Starts.GetValueOrDefault(sample) ?? 0 };
        _slots[slot.Index] = slot;
        return new(_incarnation, slot.Index);
    }

    public void RunSegment(SlotHandle slot, int steps)
    {
        if (slot.Incarnation != _incarnation || !_slots.TryGetValue(slot.Index, out var opened))
            return;
        if (opened.HasPlace)
        {
            Run(opened, steps);
            return;
        }
        _pending.Enqueue((opened, steps));
        Begin();
    }

    public void Close(SlotHandle slot)
    {
        if (slot.Incarnation == _incarnation && _slots.Remove(slot.Index, out var closed))
            Free(closed);
    }

    /// <summary>Those who wait get slots.</summary>
    void Begin()
    {
        while (_inUse < Settings.Slots && _pending.TryDequeue(out var next))
        {
            if (!_slots.ContainsKey(next.Slot.Index))
                continue;
            next.Slot.HasPlace = true;
            _inUse++;
            Run(next.Slot, next.Steps);
        }
    }

    void Free(Slot slot)
    {
        if (!slot.HasPlace)
            return;
        slot.HasPlace = false;
        _inUse--;
        Begin();
    }

    void Run(Slot slot, int steps)
    {
        if (parts.Find(slot.Attempt) is not { } part)
            return;
        var each = Settings.StepTime * silo.Machine.Slowness * (0.9 + 0.2 * silo.World.Random.Unit());
        var count = Math.Clamp((int)(Settings.CheckpointEvery / each), 1, steps);
        part.Begun += count;
        if (silo.Machine.Trouble == Trouble.EngineFault)
        {
            silo.World.After(each, silo, () => Fail(slot, "every pass fails on this device"));
            return;
        }
        if (Facts.PoisonIn(slot.Attempt.StageKey, slot.Sample, new(slot.Step, slot.Step + count)) is { } poison)
        {
            silo.World.After(each * (poison.Step - slot.Step + 1), silo, () => Poisoned(slot, poison));
            return;
        }
        silo.World.After(each * count, silo, () => silo.OffGrain(() => EndedAsync(slot, part, count)).Ignore());
    }

    void Poisoned(Slot slot, Poison poison)
    {
        if (!_slots.ContainsKey(slot.Index))
            return;
        silo.World.Note("poison", silo, poison.ToString());
        if (poison.Kills)
            silo.Machine.Ended(silo, "a sample killed it");
        else
        {
            // The engine is gone with all that it had; the next one is loaded at once.
            foreach (var part in parts.All)
                GiveUp(part, new EngineStoppedException("the device failed"));
        }
    }

    void Fail(Slot slot, string why)
    {
        if (parts.Find(slot.Attempt) is { } part)
            GiveUp(part, new EngineStoppedException(why));
    }

    async Task EndedAsync(Slot slot, SimPart part, int count)
    {
        if (!_slots.ContainsKey(slot.Index))
            return;
        slot.Step += count;
        part.Evaluations[slot.Sample] += count;
        var (attempt, completed) = (slot.Attempt, slot.Step == part.Lease.Spec.NumInferenceSteps);
        // The slot of a completed sample is free at once.
        if (completed && _slots.Remove(slot.Index))
            Free(slot);
        try
        {
            checkpoints.Put(attempt, new(
                slot.Sample, slot.Step, part.Evaluations[slot.Sample], Numbers.State(attempt.StageKey, slot.Sample, slot.Step)));
            if (!completed)
                await checkpoints.FlushAsync(attempt, CancellationToken.None);
            await silo.Grains.GetGrain<ITrajectoryGrain>(TrajectoryOrder.Key(attempt.StageKey, slot.Sample))
                .SegmentEndedAsync(attempt, slot.Step, completed);
        }
        catch (Exception exception)
        {
            GiveUp(part, exception);
        }
    }

    /// <summary>Gives the part back, and insists, as the real silo does.</summary>
    void GiveUp(SimPart part, Exception exception)
    {
        if (!part.TryGiveUp())
            return;
        var (attempt, fault) = (part.Lease.Attempt, SimWorkspace.OfDevice(FaultOwners.Of(exception, part.Lease.Rows), part));
        silo.OffGrain(async () =>
        {
            while (parts.Find(attempt) is not null)
            {
                try
                {
                    await silo.Grains.GetGrain<IPartGrain>(attempt.PartKey).AbandonAsync(attempt, fault);
                    return;
                }
                catch (Exception failed)
                {
                    silo.World.Note("not abandoned", silo, silo.World.Trace.Records ? failed.Message : "");
                }
                await Task.Delay(TimeSpan.FromSeconds(2), silo.Time);
            }
        }).Ignore();
    }

    sealed class Slot(long index, PartAttempt attempt, int sample)
    {
        public long Index => index;

        public PartAttempt Attempt => attempt;

        public int Sample => sample;

        public int Step { get; set; }

        public bool HasPlace { get; set; }
    }
}
