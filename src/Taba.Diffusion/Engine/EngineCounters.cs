using System.Diagnostics;

namespace Taba.Diffusion.Engine;

/// <summary>The engine's running numbers: written by its threads, read by anyone.</summary>
sealed class EngineCounters
{
    public long Evaluations;
    public long Turns;
    public long PaddedRows;
    public long SwappedSteps;
    public long OutOfMemory;
    public long Completed;
    public long Failed;
    public long NetworkTicks;
    public long OverheadTicks;
    public long OutputWaitTicks;
    public long LingerTicks;
    public long IdleTicks;

    /// <summary>When the engine began to wait for work that it does not have; 0 while it has some.</summary>
    public long IdleSince;

    public int SlotsInUse;
    public int Pending;
    public int BatchLimit;

    /// <summary>Ticks without work so far, the present wait included.</summary>
    public long IdleUntil(long now)
    {
        // In this order: a wait that ends in between is missing for a moment, and never counted twice.
        var since = Interlocked.Read(ref IdleSince);
        var done = Interlocked.Read(ref IdleTicks);
        return Interlocked.Read(ref IdleSince) == since && since != 0 ? done + Math.Max(0, now - since) : done;
    }

    public EngineStatistics Snapshot(int slots, int outputQueue) => new()
    {
        Evaluations = Interlocked.Read(ref Evaluations),
        Turns = Interlocked.Read(ref Turns),
        PaddedRows = Interlocked.Read(ref PaddedRows),
        SwappedSteps = Interlocked.Read(ref SwappedSteps),
        OutOfMemory = Interlocked.Read(ref OutOfMemory),
        Completed = Interlocked.Read(ref Completed),
        Failed = Interlocked.Read(ref Failed),
        NetworkTime = Stopwatch.GetElapsedTime(0, Interlocked.Read(ref NetworkTicks)),
        OverheadTime = Stopwatch.GetElapsedTime(0, Interlocked.Read(ref OverheadTicks)),
        OutputWaitTime = Stopwatch.GetElapsedTime(0, Interlocked.Read(ref OutputWaitTicks)),
        LingerTime = Stopwatch.GetElapsedTime(0, Interlocked.Read(ref LingerTicks)),
        Slots = slots,
        SlotsInUse = Volatile.Read(ref SlotsInUse),
        Pending = Volatile.Read(ref Pending),
        OutputQueue = outputQueue,
        BatchLimit = Volatile.Read(ref BatchLimit),
    };
}
