using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Cluster;

/// <summary>A timer of a grain: its ticks are requests, and the next is due a period after the last has ended.</summary>
sealed class SimGrainTimer(
    SimSilo silo, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options, Action<SimGrainTimer> tick,
    Action<SimGrainTimer> disposed) : IGrainTimer
{
    readonly CancellationTokenSource _stop = new();
    TimeSpan _period;
    TimeSpan _due;
    Due? _next;
    bool _firing;
    bool _changed;

    public bool Interleaves => options.Interleave;

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        (_due, _period, _changed) = (dueTime, period, true);
        if (!_firing)
            Wait(dueTime);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _next?.Cancel();
        disposed(this);
    }

    public async Task RunAsync()
    {
        _changed = false;
        try
        {
            if (!_stop.IsCancellationRequested)
                await callback(_stop.Token);
        }
        catch (Exception exception)
        {
            silo.World.Note("timer throws", silo, silo.World.Trace.Records ? exception.Message : "");
        }
        finally
        {
            _firing = false;
            if (!_stop.IsCancellationRequested)
                Wait(_changed ? _due : _period);
        }
    }

    void Wait(TimeSpan time)
    {
        _next?.Cancel();
        _next = time == Timeout.InfiniteTimeSpan ? null : silo.World.After(time, silo, () =>
        {
            _firing = true;
            tick(this);
        });
    }
}
