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
    public long FirstPassAt;
    public long LastPassAt;
    public int SlotsInUse;
    public int Pending;
    public int BatchLimit;
    long _idleTicks;
    long _idleSince;

    readonly Lock _idle = new();

    /// <summary>A wait for work begins.</summary>
    public void IdleBegins(long now)
    {
        lock (_idle)
            _idleSince = now;
    }

    public void IdleEnds(long now)
    {
        lock (_idle)
        {
            _idleTicks += now - _idleSince;
            _idleSince = 0;
        }
    }

    /// <summary>Ticks without work so far, the present wait included; never less than before.</summary>
    public long IdleUntil(long now)
    {
        lock (_idle)
            return _idleTicks + (_idleSince == 0 ? 0 : Math.Max(0, now - _idleSince));
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
        FirstPassAt = Interlocked.Read(ref FirstPassAt),
        LastPassAt = Interlocked.Read(ref LastPassAt),
        Slots = slots,
        SlotsInUse = Volatile.Read(ref SlotsInUse),
        Pending = Volatile.Read(ref Pending),
        OutputQueue = outputQueue,
        BatchLimit = Volatile.Read(ref BatchLimit),
    };
}
