namespace Taba.Simulation.Scheduling;

/// <summary>
/// One thread on which everything happens: the seed picks the next task among those that are ready, and the clock moves only when none is.
/// </summary>
sealed class World(ulong seed, bool records)
{
    /// <summary>Timestamps begin here: 0 means "never" in places.</summary>
    public const long Start = 100 * TimeSpan.TicksPerHour;

    readonly int _thread = Environment.CurrentManagedThreadId;
    readonly List<SimScheduler> _ready = [];
    readonly PriorityQueue<Due, (long At, ulong Tie)> _due = new();

    public Rng Random { get; } = new(seed);

    public Trace Trace { get; } = new(records);

    /// <summary>The time, a timestamp of 100 ns.</summary>
    public long Now { get; private set; } = Start;

    public TimeSpan Elapsed => TimeSpan.FromTicks(Now - Start);

    public long Steps { get; private set; }

    /// <summary>What broke: the run ends there.</summary>
    public Violation? Broken { get; private set; }

    public void Note(string what, Process? where, string detail = "") => Trace.Add(Now, what, where?.Name ?? "-", detail);

    /// <summary>An invariant does not hold.</summary>
    public void Break(string invariant, string detail)
    {
        Note("VIOLATION", null, $"{invariant}: {detail}");
        Broken ??= new(invariant, detail);
    }

    /// <summary>Has something happen after a while, to a process or to the world.</summary>
    /// <param name="dead">Happens instead when the process has died.</param>
    public Due After(TimeSpan delay, Process? process, Action action, Action? dead = null)
    {
        RequireThread();
        var due = new Due(process, action, dead);
        _due.Enqueue(due, (Now + Math.Max(0, delay.Ticks), Random.Next()));
        return due;
    }

    public void Ready(SimScheduler scheduler)
    {
        if (scheduler.IsReady)
            return;
        scheduler.IsReady = true;
        _ready.Add(scheduler);
    }

    /// <summary>What runs on another thread is lost to the seed.</summary>
    public void RequireThread()
    {
        if (Environment.CurrentManagedThreadId == _thread)
            return;
        Broken ??= new("one thread", $"simulated code ran on another thread: {Environment.StackTrace}");
    }

    /// <summary>Runs until a condition holds, for a while at most.</summary>
    /// <returns>Whether it came to hold.</returns>
    public bool Run(Func<bool> until, TimeSpan atMost)
    {
        var end = Now + atMost.Ticks;
        while (Broken is null)
        {
            if (until())
                return true;
            if (_ready.Count > 0)
            {
                RunOne();
                continue;
            }
            if (!_due.TryPeek(out _, out var next) || next.At > end)
            {
                Now = Math.Max(Now, end);
                return until();
            }
            var due = _due.Dequeue();
            if (due.IsCancelled)
                continue;
            Now = Math.Max(Now, next.At);
            Steps++;
            due.Happen();
        }
        return false;
    }

    void RunOne()
    {
        var i = Random.Below(_ready.Count);
        var scheduler = _ready[i];
        if (!scheduler.Process.Runs || scheduler.IsEmpty)
        {
            Remove(i);
            if (!scheduler.IsEmpty)
                scheduler.Process.Park(scheduler);
            return;
        }
        Steps++;
        scheduler.RunOne();
        if (scheduler.IsEmpty && _ready[i] == scheduler)
            Remove(i);
    }

    void Remove(int i)
    {
        _ready[i].IsReady = false;
        _ready[i] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
    }
}

/// <summary>Something that is to happen.</summary>
sealed class Due(Process? process, Action action, Action? dead)
{
    public bool IsCancelled { get; private set; }

    public void Cancel() => IsCancelled = true;

    public void Happen()
    {
        if (process is null)
            action();
        else if (process.State == ProcessState.Dead)
            dead?.Invoke();
        else
            process.Happen(() =>
            {
                if (!IsCancelled)
                    action();
            });
    }
}

/// <summary>An invariant that does not hold.</summary>
sealed record Violation(string Invariant, string Detail);
