using System.Text.RegularExpressions;

namespace Taba.Simulation.Scheduling;

/// <summary>
/// What happened, in order. A hash of all of it is kept always, the words only on request: a run that failed is simply run again.
/// </summary>
sealed partial class Trace(bool records)
{
    const int Kept = 20_000;

    readonly Queue<string> _lines = new();
    readonly Dictionary<string, string> _ids = [];
    ulong _hash = 0xCBF29CE484222325;

    /// <summary>Whether each call is told too: by hand only, there are many.</summary>
    public static bool WithCalls { get; set; }

    /// <summary>Whether words are kept.</summary>
    public bool Records => records;

    /// <summary>A hash of all events so far, their order and their times.</summary>
    public ulong Digest => _hash;

    public long Events { get; private set; }

    /// <summary>The last events.</summary>
    public IEnumerable<string> Lines => _lines;

    public void Add(long now, string what, string where, string detail)
    {
        Events++;
        _hash = Hash.Add(Hash.Add(Hash.Mix(_hash ^ (ulong)now), what), where);
        Tell(now, what, where, detail);
    }

    /// <summary>Words for people, which are no event.</summary>
    public void Tell(long now, string what, string where, string detail)
    {
        if (!records)
            return;
        // Ids are drawn anew in each run.
        var text = Id().Replace(
            detail, match => _ids.TryGetValue(match.Value, out var known) ? known : _ids[match.Value] = $"#{_ids.Count}");
        _lines.Enqueue($"{TimeSpan.FromTicks(now - World.Start).TotalSeconds,10:F4}  {where,-12} {what,-22} {text}");
        if (_lines.Count > Kept)
            _lines.Dequeue();
    }

    [GeneratedRegex("[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?![0-9a-f])")]
    private static partial Regex Id();
}
