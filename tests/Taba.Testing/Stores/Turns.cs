namespace Taba.Testing.Stores;

/// <summary>
/// Lets several actors go on one at a time, from one call of their place to the next, in an order that a seed decides: every interleaving
/// of their calls can be had, and had again.
/// </summary>
public sealed class Turns(int seed)
{
    readonly Random _random = new(seed);
    readonly Lock _gate = new();
    readonly List<TaskCompletionSource> _waiting = [];
    int _running;

    /// <summary>Runs actors to their end. Each awaits what it is given before each step that others may come between.</summary>
    public async Task RunAsync(params Func<Func<Task>, Task>[] actors)
    {
        _running = actors.Length;
        await Task.WhenAll(actors.Select(actor => Task.Run(async () =>
        {
            try
            {
                await StepAsync();
                await actor(StepAsync);
            }
            finally
            {
                Leave(null);
            }
        })));
    }

    Task StepAsync()
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Leave(mine);
        return mine.Task;
    }

    /// <summary>When nobody runs any more, one of those who wait does.</summary>
    void Leave(TaskCompletionSource? waiting)
    {
        lock (_gate)
        {
            if (waiting is not null)
                _waiting.Add(waiting);
            if (--_running > 0 || _waiting.Count == 0)
                return;
            var next = _random.Next(_waiting.Count);
            _running = 1;
            _waiting[next].SetResult();
            _waiting.RemoveAt(next);
        }
    }
}
