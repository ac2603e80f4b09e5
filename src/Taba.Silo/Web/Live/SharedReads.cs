using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Live;

/// <summary>
/// What several ask at about the same time is read once, so that any number of viewers cost what one look costs. Nothing is read while
/// nobody asks, and what nobody asks for any more is dropped when somebody asks for something else.
/// </summary>
/// <param name="fresh">So long after a read began its value is given to others too.</param>
/// <param name="most">The most values that are kept; whoever asks for another one then reads for itself.</param>
sealed class SharedReads<TKey, TValue>(TimeSpan fresh, int most, TimeProvider time)
    where TKey : notnull
{
    readonly Lock _lock = new();
    readonly Dictionary<TKey, Entry> _reads = [];

    /// <summary>The value, read now or a moment ago. A read that fails fails for all who wait for it.</summary>
    public Task<TValue> GetAsync(TKey key, Func<Task<TValue>> read)
    {
        Entry? entry;
        lock (_lock)
        {
            if (!_reads.TryGetValue(key, out entry) || !IsOfUse(entry))
            {
                foreach (var (other, _) in _reads.Where(r => !IsOfUse(r.Value)).ToList())
                    _reads.Remove(other);
                entry = new(time.GetTimestamp(), new(read));
                if (_reads.Count < most)
                    _reads.Add(key, entry);
            }
        }
        // Outside of the lock: a read may do much before it first waits.
        return entry.Value.Value;
    }

    bool IsOfUse(Entry entry)
    {
        var age = time.GetElapsedTime(entry.Begun);
        // A read that hangs is joined by nobody who comes after those that have given it up.
        return age < fresh || (age < Answers.Patience && entry.Value is { IsValueCreated: true, Value.IsCompleted: false });
    }

    sealed record Entry(long Begun, Lazy<Task<TValue>> Value);
}
