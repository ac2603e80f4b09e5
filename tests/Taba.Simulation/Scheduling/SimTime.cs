namespace Taba.Simulation.Scheduling;

/// <summary>The clocks of a process: its timestamps are the world's, its wall clock may be wrong.</summary>
sealed class SimTime(Process process, TimeSpan offset) : TimeProvider
{
    static readonly DateTimeOffset s_epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => process.World.Now;

    public override DateTimeOffset GetUtcNow() => s_epoch + process.World.Elapsed + offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(process, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    sealed class SimTimer(Process process, TimerCallback callback, object? state) : ITimer
    {
        Due? _due;
        bool _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _due?.Cancel();
            _due = null;
            if (_disposed)
                return false;
            if (dueTime != Timeout.InfiniteTimeSpan)
                _due = process.World.After(dueTime, process, () => Fire(period));
            return true;
        }

        public void Dispose()
        {
            _disposed = true;
            _due?.Cancel();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        void Fire(TimeSpan period)
        {
            _due = null;
            if (period > TimeSpan.Zero)
                Change(period, period);
            callback(state);
        }
    }
}
