namespace Taba.Grains.Actors;

/// <summary>
/// Tells somebody how something stands. One call at a time, each with what holds when it is made: however much changes meanwhile, it goes
/// with the next. Behind a call that took long there is a rest, so that telling takes at most a fifth of the time: what is told of a large
/// stage is told less often, and what is told of a small one at once. A call that fails is made again, later each time. In one grain's
/// turns only.
/// </summary>
/// <param name="tell">Makes the call; does nothing when there is nothing new.</param>
sealed class Teller(Func<Task> tell, TimeProvider time)
{
    static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(10);

    /// <summary>As much longer than the call is the rest behind it.</summary>
    const int RestsFor = 4;

    static readonly TimeSpan s_shortestRest = TimeSpan.FromMilliseconds(2);
    static readonly TimeSpan s_longestRest = TimeSpan.FromSeconds(1);

    bool _changed;
    bool _telling;
    bool _stopped;

    /// <summary>Something changed. Returns at once.</summary>
    public void Changed()
    {
        _changed = true;
        if (!_telling && !_stopped)
            TellAsync().Ignore();
    }

    /// <summary>Makes no more calls.</summary>
    public void Stop() => _stopped = true;

    async Task TellAsync()
    {
        _telling = true;
        var pause = s_firstPause;
        try
        {
            // What the caller's turn still changes goes with it, and no grain is called before the caller's first wait.
            await Task.Yield();
            while (_changed && !_stopped)
            {
                _changed = false;
                try
                {
                    var began = time.GetTimestamp();
                    await tell();
                    pause = s_firstPause;
                    var rest = time.GetElapsedTime(began) * RestsFor;
                    if (rest >= s_shortestRest)
                        await Task.Delay(rest < s_longestRest ? rest : s_longestRest, time);
                }
                catch (Exception exception) when (exception is not OutOfMemoryException)
                {
                    _changed = true;
                    await Task.Delay(pause, time);
                    pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
                }
            }
        }
        finally
        {
            _telling = false;
        }
    }
}
