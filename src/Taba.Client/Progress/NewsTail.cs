using Taba.Grains.Sweeps;

namespace Taba.Client.Progress;

/// <summary>
/// What happened to a sweep since somebody began to watch it, each thing once: when it has been there for a few seconds, for what happens
/// again is added to it (the parts of a silo are lost one after the other).
/// </summary>
sealed class NewsTail(TimeProvider time)
{
    static readonly TimeSpan s_settles = TimeSpan.FromSeconds(3);

    readonly Dictionary<(DateTimeOffset, SweepLogKind, string?), long> _met = [];
    readonly HashSet<(DateTimeOffset, SweepLogKind, string?)> _told = [];
    bool _begun;

    /// <summary>What is to be told now, the oldest first.</summary>
    public IReadOnlyList<SweepLogEntry> Take(SweepStatus status)
    {
        var news = new List<SweepLogEntry>();
        foreach (var entry in status.News.Where(e => IsWorthTelling(e.Kind)))
        {
            var key = (entry.At, entry.Kind, entry.Host ?? entry.Stage);
            _met.TryAdd(key, time.GetTimestamp());
            // What was there before is not news.
            if (!_begun)
                _told.Add(key);
            else if ((time.GetElapsedTime(_met[key]) >= s_settles || !status.State.IsLive()) && _told.Add(key))
                news.Add(entry);
        }
        _begun = true;
        return news;
    }

    static bool IsWorthTelling(SweepLogKind kind) => kind is not (SweepLogKind.Submitted or SweepLogKind.StageDone or SweepLogKind.Ended);
}
