using Microsoft.Extensions.Time.Testing;

namespace Taba.Silo.Tests.Workers;

/// <summary>
/// A clock that a test moves, and that knows how many wait for it: when all of them do, nothing happens before time passes.
/// </summary>
sealed class AwaitedTime : FakeTimeProvider
{
    /// <summary>Only a test that fails waits so long.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    readonly Lock _lock = new();
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _waiting;

    /// <summary>Waits until so many timers run.</summary>
    public async Task RestAsync(int timers)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_waiting >= timers)
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(s_patience);
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new AwaitedTimer(this, callback, state, dueTime, period);

    ITimer CreateInnerTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime, period);

    void Count(int change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _waiting += change;
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }

    /// <summary>Counts from when it is set until it fires or is taken back. None of this worker's timers is periodic.</summary>
    sealed class AwaitedTimer : ITimer
    {
        readonly AwaitedTime _time;
        readonly ITimer _inner;
        int _set;

        public AwaitedTimer(AwaitedTime time, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _time = time;
            Set(dueTime);
            _inner = time.CreateInnerTimer(
                s =>
                {
                    Set(Timeout.InfiniteTimeSpan);
                    callback(s);
                },
                state, dueTime, period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Set(dueTime);
            return _inner.Change(dueTime, period);
        }

        public void Dispose()
        {
            Set(Timeout.InfiniteTimeSpan);
            _inner.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        void Set(TimeSpan dueTime)
        {
            var now = dueTime == Timeout.InfiniteTimeSpan ? 0 : 1;
            if (Interlocked.Exchange(ref _set, now) is var before && before != now)
                _time.Count(now - before);
        }
    }
}
