using Orleans.Storage;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Storage;

/// <summary>The database of grain state: rows with tags. It fails before or after a write, and may lose its last ones.</summary>
sealed class StateTable(World world)
{
    readonly Dictionary<string, Row> _rows = [];
    readonly List<(long At, string Key, Row? Before)> _log = [];
    long _writes;

    /// <summary>Of so many calls one fails.</summary>
    public double Failures { get; set; }

    /// <summary>The keys of all rows.</summary>
    public IEnumerable<string> Keys => _rows.Keys;

    public long Writes => _writes;

    /// <summary>Whether it ever lost what it wrote.</summary>
    public bool HasForgotten { get; private set; }

    public Row? Find(string key) => _rows.GetValueOrDefault(key);

    public Row Write(string key, byte[] bytes, string? etag)
    {
        if (Find(key)?.ETag != etag)
            throw new InconsistentStateException($"{key} was written by another activation", Find(key)?.ETag ?? "none", etag ?? "none");
        _log.Add((world.Now, key, Find(key)));
        return _rows[key] = new(bytes, (++_writes).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public void Delete(string key, string? etag)
    {
        if (Find(key) is null)
            return;
        if (Find(key)!.ETag != etag)
            throw new InconsistentStateException($"{key} was written by another activation", Find(key)!.ETag, etag ?? "none");
        _log.Add((world.Now, key, Find(key)));
        _rows.Remove(key);
    }

    /// <summary>The last writes are gone, as when a cache that saves once a second dies.</summary>
    public void LoseSince(TimeSpan ago)
    {
        HasForgotten = true;
        for (var i = _log.Count - 1; i >= 0 && _log[i].At > world.Now - ago.Ticks; i--)
        {
            if (_log[i].Before is { } before)
                _rows[_log[i].Key] = before;
            else
                _rows.Remove(_log[i].Key);
            _log.RemoveAt(i);
        }
    }

    public sealed record Row(byte[] Bytes, string ETag);
}
