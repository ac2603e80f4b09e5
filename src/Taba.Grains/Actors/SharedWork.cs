namespace Taba.Grains.Actors;

/// <summary>
/// Work of one grain of which at most one runs at a time. Who asks while it runs gets the next, which begins after the question, and
/// shares it with all others who ask meanwhile.
/// </summary>
sealed class SharedWork<T>(Func<Task<T>> work)
{
    Task<T>? _running;
    Task<T>? _next;

    /// <summary>The result of work that begins now or later.</summary>
    public Task<T> RunAsync()
    {
        if (_next is not null)
            return _next;
        if (_running is null or { IsCompleted: true })
            return _running = work();
        return _next = AfterAsync(_running);
    }

    /// <summary>Waits until what runs now has ended, however it ends.</summary>
    public Task EndedAsync() => _running is null ? Task.CompletedTask : EndOfAsync(_running);

    async Task<T> AfterAsync(Task<T> before)
    {
        await EndOfAsync(before);
        _next = null;
        return await (_running = work());
    }

    static async Task EndOfAsync(Task task) =>
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
}
