namespace Taba.Grains.Actors;

/// <summary>The timer of a stage while anybody wants rows of it, or has them. In the grain's turns only.</summary>
/// <param name="isNeeded">Whether anybody does.</param>
/// <param name="look">
/// Called each time; every ten seconds with true, to say everything again: a message may be lost, and who heard it may have died.
/// </param>
sealed class StageWatch(Grain grain, TimeSpan every, TimeProvider time, Func<bool> isNeeded, Action<bool> look)
{
    static readonly TimeSpan s_repeatEvery = TimeSpan.FromSeconds(10);

    IGrainTimer? _timer;
    long _repeatedAt;

    /// <summary>Looks from now on, as long as it is needed; that keeps the grain active.</summary>
    public void Keep()
    {
        if (_timer is not null || !isNeeded())
            return;
        _repeatedAt = time.GetTimestamp();
        _timer = grain.RegisterGrainTimer(
            _ =>
            {
                Look();
                return Task.CompletedTask;
            },
            new() { DueTime = every, Period = every, KeepAlive = true });
    }

    void Look()
    {
        var repeat = time.GetElapsedTime(_repeatedAt) >= s_repeatEvery;
        if (repeat)
            _repeatedAt = time.GetTimestamp();
        look(repeat);
        if (isNeeded())
            return;
        _timer?.Dispose();
        _timer = null;
    }
}
