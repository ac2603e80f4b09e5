namespace Taba.Diffusion.Engine;

/// <summary>Many writers that never wait, one reader that takes all there is. The lock is held for a list operation only.</summary>
sealed class Mailbox<T>
{
    readonly object _gate = new();
    List<T> _items = [];
    bool _closed;

    public bool IsClosed
    {
        get
        {
            lock (_gate)
                return _closed;
        }
    }

    /// <summary>False when the mailbox is closed: the item is not taken.</summary>
    public bool Post(T item)
    {
        lock (_gate)
        {
            if (_closed)
                return false;
            _items.Add(item);
            if (_items.Count == 1)
                Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Exchanges <paramref name="empty"/> for all items, in the order of posting; waits for the first one.</summary>
    /// <param name="empty">An empty list.</param>
    /// <param name="wait">How long to wait: zero, a time, or infinite (<see cref="Timeout.InfiniteTimeSpan"/>).</param>
    public List<T> Take(List<T> empty, TimeSpan wait)
    {
        lock (_gate)
        {
            // One reader, woken only by an item or the clock: no need to look again.
            if (_items.Count == 0 && wait != TimeSpan.Zero)
                Monitor.Wait(_gate, wait);
            var items = _items;
            _items = empty;
            return items;
        }
    }

    /// <summary>Refuses all further items and returns those not taken.</summary>
    public List<T> Close()
    {
        lock (_gate)
        {
            _closed = true;
            return Take([], TimeSpan.Zero);
        }
    }
}
