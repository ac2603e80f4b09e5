using System.Collections.Concurrent;

namespace Taba.Diffusion.Engine;

/// <summary>A thread of its own that works through what is posted, in the order of posting, for work that blocks its thread.</summary>
/// <remarks>
/// Work that may fail tells whoever asked for it. An exception that leaves the work all the same is a fault of the program and ends
/// it, as on any thread: nobody would hear of it otherwise.
/// </remarks>
public sealed class WorkThread<T> : IDisposable, IAsyncDisposable
{
    readonly BlockingCollection<T> _queue;
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Action<IReadOnlyList<T>> _work;
    readonly int _most;

    /// <param name="name">The thread's name.</param>
    /// <param name="work">Does one piece of work, or several that waited together.</param>
    /// <param name="most">Pieces that <paramref name="work"/> is given at a time at most.</param>
    /// <param name="capacity">Pieces that may wait; whoever posts more waits too.</param>
    public WorkThread(string name, Action<IReadOnlyList<T>> work, int most = 1, int capacity = int.MaxValue)
    {
        _work = work;
        _most = most;
        _queue = new(capacity);
        new Thread(Run) { IsBackground = true, Name = name }.UnsafeStart();
    }

    /// <summary>Pieces that wait.</summary>
    public int Count => _queue.Count;

    /// <summary>Completes when all that was posted before <see cref="Complete"/> is done.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Hands a piece of work over; waits while the queue is full.</summary>
    /// <returns>False when no more is taken.</returns>
    public bool Post(T piece)
    {
        try
        {
            _queue.Add(piece);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Takes no more; the thread ends when what waits is done.</summary>
    public void Complete() => _queue.CompleteAdding();

    /// <summary>Waits for the end.</summary>
    public void Dispose()
    {
        Complete();
        Ended.Wait();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Complete();
        await Ended;
    }

    void Run()
    {
        var pieces = new List<T>();
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            pieces.Add(first);
            while (pieces.Count < _most && _queue.TryTake(out var next))
                pieces.Add(next);
            _work(pieces);
            pieces.Clear();
        }
        _ended.SetResult();
    }
}
