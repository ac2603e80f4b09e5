using System.Diagnostics;

namespace Taba.Diffusion.Engine;

/// <summary>The time that one turn took, in Stopwatch ticks.</summary>
struct TurnTimes
{
    public long Total;
    public long Network;
    public long OutputWait;
}

/// <summary>Keeps the counters, the instruments and the listener to events of one engine in step.</summary>
sealed class EngineTelemetry(EngineOptions options)
{
    KeyValuePair<string, object?>[] _tags = [new("taba.model", options.Name)];

    public EngineCounters Counters { get; } = new();

    /// <summary>The engine's slots.</summary>
    public int SlotLimit => options.SlotCount;

    /// <summary>The model and the device, as every measurement carries them.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Tags => _tags;

    /// <summary>The model is on its device: from here on the engine's time is accounted for.</summary>
    /// <param name="settled">The options, with the batch that was chosen.</param>
    /// <param name="device">Its name.</param>
    /// <param name="limit">The most rows of a forward pass.</param>
    public void Started(EngineOptions settled, string device, int limit)
    {
        options = settled;
        Volatile.Write(ref Counters.BatchLimit, limit);
        _tags = [new("taba.model", options.Name), new("taba.device", device)];
        // A counter that begins at its first event shows no rise there.
        EngineInstruments.OutOfMemory.Add(0, _tags);
        EngineInstruments.Padding.Add(0, _tags);
        EngineInstruments.TrajectoriesEnded.Add(0, [.. _tags, EngineInstruments.Failed]);
        EngineInstruments.Accounts.Open(this);
    }

    /// <summary>The engine is gone; what it did stays counted.</summary>
    public void Ended() => EngineInstruments.Accounts.Close(this);

    /// <summary>The engine waits, with nothing to do.</summary>
    public void IdleBegins() => Counters.IdleBegins(Stopwatch.GetTimestamp());

    public void IdleEnds() => Counters.IdleEnds(Stopwatch.GetTimestamp());

    /// <summary>Counts one more that waits, unless that would be more than <paramref name="maxPending"/>.</summary>
    public bool TryOpen(int maxPending)
    {
        if (Interlocked.Increment(ref Counters.Pending) <= maxPending)
            return true;
        Interlocked.Decrement(ref Counters.Pending);
        return false;
    }

    public void Admitted()
    {
        Interlocked.Decrement(ref Counters.Pending);
        Interlocked.Increment(ref Counters.SlotsInUse);
        EngineInstruments.SlotUsage.Add(1, _tags);
    }

    public void Left(bool slot)
    {
        if (!slot)
        {
            Interlocked.Decrement(ref Counters.Pending);
            return;
        }
        Interlocked.Decrement(ref Counters.SlotsInUse);
        EngineInstruments.SlotUsage.Add(-1, _tags);
    }

    public void Completed()
    {
        Interlocked.Increment(ref Counters.Completed);
        EngineInstruments.TrajectoriesEnded.Add(1, [.. _tags, EngineInstruments.Completed]);
    }

    public void Failed(Trajectory trajectory, int step, Exception error)
    {
        // Being stopped on request is no failure.
        if (error is EngineStoppedException { InnerException: null })
            return;
        Interlocked.Increment(ref Counters.Failed);
        EngineInstruments.TrajectoriesEnded.Add(1, [.. _tags, EngineInstruments.Failed]);
        Tell(new TrajectoryFailed(options.Name, trajectory.Tag, step, error));
    }

    public void OutOfMemory()
    {
        Interlocked.Increment(ref Counters.OutOfMemory);
        EngineInstruments.OutOfMemory.Add(1, _tags);
    }

    public void LimitLowered(int rows, int limit, Exception error)
    {
        Volatile.Write(ref Counters.BatchLimit, limit);
        Tell(new BatchLimitLowered(options.Name, rows, limit, error));
    }

    /// <summary>Counts a pass, before its results are handed over: who has a result finds it counted.</summary>
    public void Passed(Pass pass, int rows, int shape, long networkTicks)
    {
        if (pass != Pass.Network)
        {
            Interlocked.Add(ref Counters.SwappedSteps, rows);
            return;
        }
        Interlocked.Increment(ref Counters.Turns);
        Interlocked.Add(ref Counters.Evaluations, rows);
        Interlocked.Add(ref Counters.PaddedRows, shape - rows);
        Interlocked.Add(ref Counters.NetworkTicks, networkTicks);
        var now = Stopwatch.GetTimestamp();
        Interlocked.CompareExchange(ref Counters.FirstPassAt, now - networkTicks, 0);
        Interlocked.Exchange(ref Counters.LastPassAt, now);
        EngineInstruments.Evaluations.Add(rows, _tags);
        EngineInstruments.NetworkDuration.Record(Seconds(networkTicks), _tags);
        EngineInstruments.BatchUtilization.Record((double)rows / options.LargestBatch, _tags);
        if (shape > rows)
            EngineInstruments.Padding.Add(shape - rows, _tags);
    }

    public void Turned(in TurnTimes turn)
    {
        Interlocked.Add(ref Counters.OverheadTicks, turn.Total - turn.Network - turn.OutputWait);
        Interlocked.Add(ref Counters.OutputWaitTicks, turn.OutputWait);
        EngineInstruments.TurnDuration.Record(Seconds(turn.Total - turn.OutputWait), _tags);
    }

    /// <summary>Tells the listener, whose errors are its own.</summary>
    public void Tell(EngineEvent what)
    {
        try
        {
            options.Events?.Invoke(what);
        }
        catch (Exception)
        {
            // A listener that throws must not stop the device.
        }
    }

    static double Seconds(long ticks) => (double)ticks / Stopwatch.Frequency;
}
