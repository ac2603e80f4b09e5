using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>
/// Tells the index how far a sweep is: at most every two seconds, when that is another than it was told, and now and then anyway, for the
/// index keeps it in memory. One call at a time. In one grain's turns only.
/// </summary>
sealed class ProgressTeller(IGrainFactory grains, TimeProvider time)
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(2);
    static readonly TimeSpan s_againAfter = TimeSpan.FromSeconds(30);

    Task _telling = Task.CompletedTask;
    SweepProgress? _told;
    long _toldAt;

    /// <summary>Called every second.</summary>
    public void Tick(SweepStatus status)
    {
        var now = status.Progress;
        if (!_telling.IsCompleted || (_told is not null && time.GetElapsedTime(_toldAt) < (now == _told ? s_againAfter : s_every)))
            return;
        (_told, _toldAt) = (now, time.GetTimestamp());
        _telling = grains.GetGrain<ISweepIndexGrain>(0).ProgressAsync(now);
        // Not heard now, it is told again soon enough.
        _telling.Ignore();
    }
}
