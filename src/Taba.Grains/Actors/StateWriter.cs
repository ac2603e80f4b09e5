namespace Taba.Grains.Actors;

/// <summary>
/// Writes a grain's state, and what need not be written at once together with others that come: the state of a large stage is written once
/// a second. In the grain's turns only.
/// </summary>
/// <param name="write">Writes the state as it is then.</param>
/// <param name="failed">Told of a write that nobody waited for. The next one has what it lacks.</param>
sealed class StateWriter(Grain grain, Func<Task> write, TimeProvider time, Action<Exception> failed)
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);

    // A timestamp; 0 before the first write.
    long _writtenAt;
    IGrainTimer? _waiting;

    /// <summary>Writes now.</summary>
    /// <param name="undo">Called when the write fails, which is thrown.</param>
    public async Task NowAsync(Action? undo = null)
    {
        _writtenAt = time.GetTimestamp();
        try
        {
            await write();
        }
        catch
        {
            undo?.Invoke();
            throw;
        }
    }

    /// <summary>Writes now when the last write is a while ago, else within a second.</summary>
    /// <param name="undo">Called when it is written now and fails, which is thrown.</param>
    public Task SoonAsync(Action? undo = null)
    {
        if (_waiting is not null)
            return Task.CompletedTask;
        if (_writtenAt == 0 || time.GetElapsedTime(_writtenAt) >= s_every)
            return NowAsync(undo);
        Later();
        return Task.CompletedTask;
    }

    /// <summary>Writes within a second, whoever else writes now.</summary>
    public void Later() => _waiting ??= grain.RegisterGrainTimer(
        _ => WriteAsync(), new() { DueTime = s_every, Period = Timeout.InfiniteTimeSpan, KeepAlive = true });

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
