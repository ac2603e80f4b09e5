namespace Taba.Grains.Actors;

/// <summary>
/// Writes a grain's state, and what need not be written at once together with others that come: the state of a large stage is
/// written once a
/// second. In the grain's turns only.
/// </summary>
/// <param name="write">Writes the state as it is then.</param>
/// <param name="failed">Told of a write that nobody waited for. The next one has what it lacks.</param>
sealed class StateWriter(Grain grain, Func<Task> write, TimeProvider time, Action<Exception> failed)
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);

    DateTimeOffset _writtenAt;
    IGrainTimer? _waiting;

    /// <summary>Writes now.</summary>
    public Task NowAsync()
    {
        _writtenAt = time.GetUtcNow();
        return write();
    }

    /// <summary>Writes now when the last write is a while ago, else within a second.</summary>
    public Task SoonAsync()
    {
        if (_waiting is not null)
            return Task.CompletedTask;
        if (time.GetUtcNow() - _writtenAt >= s_every)
            return NowAsync();
        _waiting = grain.RegisterGrainTimer(
            _ => WriteAsync(), new() { DueTime = s_every, Period = Timeout.InfiniteTimeSpan, KeepAlive = true });
        return Task.CompletedTask;
    }

    /// <summary>Writes what waits.</summary>
    public Task FlushAsync() => _waiting is null ? Task.CompletedTask : WriteAsync();

    async Task WriteAsync()
    {
        _waiting?.Dispose();
        _waiting = null;
        try
        {
            await NowAsync();
        }
        catch (Exception exception)
        {
            failed(exception);
        }
    }
}
