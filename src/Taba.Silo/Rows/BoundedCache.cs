namespace Taba.Silo.Rows;

/// <summary>
/// Costly things by key, made when first wanted. One more than a number of them takes the place of the one that was idle longest; those in
/// use stay. Safe for several threads, of which one makes at a time.
/// </summary>
/// <param name="most">Things that stay, 1 or more.</param>
sealed class BoundedCache<TKey, TValue>(int most) : IDisposable
    where TKey : notnull
    where TValue : IDisposable
{
    readonly Lock _lock = new();
    readonly Dictionary<TKey, Entry> _entries = [];
    long _takes;

    /// <summary>Things that are there.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _entries.Count;
        }
    }

    /// <summary>The thing of a key, which is in use until the answer is disposed.</summary>
    public Use Take(TKey key, Func<TValue> make)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var entry))
            {
                // Before, not after: two large networks may not fit.
                Trim(most - 1);
                _entries.Add(key, entry = new(key, make()));
            }
            entry.Users++;
            entry.LastTake = ++_takes;
            return new(this, entry);
        }
    }

    /// <summary>Ends all that is there; nothing may be in use.</summary>
    public void Dispose()
    {
        lock (_lock)
            Trim(0);
    }

    void Release(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            Trim(most);
        }
    }

    void Trim(int left)
    {
        while (_entries.Count > left && _entries.Values.Where(e => e.Users == 0).MinBy(e => e.LastTake) is { } idle)
        {
            _entries.Remove(idle.Key);
            idle.Value.Dispose();
        }
    }

    internal sealed class Entry(TKey key, TValue value)
    {
        public TKey Key => key;

        public TValue Value => value;

        public int Users { get; set; }

        public long LastTake { get; set; }
    }

    /// <summary>A thing in use.</summary>
    public readonly struct Use : IDisposable
    {
        readonly BoundedCache<TKey, TValue> _cache;
        readonly Entry _entry;

        internal Use(BoundedCache<TKey, TValue> cache, Entry entry) => (_cache, _entry) = (cache, entry);

        public TValue Value => _entry.Value;

        public void Dispose() => _cache.Release(_entry);
    }
}
