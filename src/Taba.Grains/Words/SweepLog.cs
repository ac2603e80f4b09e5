using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>
/// The log of a sweep: bounded, the oldest first. What happens again within seconds (parts of one host that are lost one after the other,
/// samples of one stage that fail of one reason, a call that is made twice) is one entry. When the log is full the most frequent kind loses
/// its oldest entry, so that a flood of one kind does not wash the others away.
/// </summary>
public static class SweepLog
{
    public const int MostEntries = 200;

    /// <summary>What happens again within this time is the same.</summary>
    public static readonly TimeSpan Together = TimeSpan.FromSeconds(10);

    /// <summary>The log with one more thing that happened.</summary>
    public static ImmutableArray<SweepLogEntry> With(this ImmutableArray<SweepLogEntry> log, SweepLogEntry entry)
    {
        if (Earlier(log, entry) is >= 0 and var same)
            return log.SetItem(same, Merged(log[same], entry));
        // An observation may have been made before what somebody did meanwhile.
        var place = log.Length;
        while (place > 0 && (log[place - 1].At > entry.At
            || (log[place - 1] is { Kind: SweepLogKind.Ended } end && end.At == entry.At && !IsSteering(entry.Kind))))
            place--;
        var next = log.Insert(place, entry);
        return next.Length <= MostEntries ? next : next.RemoveAt(OldestOfTheMostFrequent(next));
    }

    /// <summary>The log with some more.</summary>
    public static ImmutableArray<SweepLogEntry> With(this ImmutableArray<SweepLogEntry> log, IEnumerable<SweepLogEntry> entries) =>
        entries.Aggregate(log, (all, entry) => all.With(entry));

    static bool IsSteering(SweepLogKind kind) => kind is SweepLogKind.Submitted or SweepLogKind.Paused or SweepLogKind.Resumed
        or SweepLogKind.Cancelled or SweepLogKind.Retried;

    /// <summary>The index of the entry of which this is more; -1 for none.</summary>
    static int Earlier(ImmutableArray<SweepLogEntry> log, SweepLogEntry entry)
    {
        // A silo that cannot serve a model says so at each stage, whenever that has work: once is enough.
        var within = entry.Kind is SweepLogKind.Refused ? TimeSpan.MaxValue : Together;
        for (var i = log.Length - 1; i >= 0 && entry.At - log[i].At <= within; i--)
        {
            // Between two of a kind somebody may have done something else: then the second is another.
            if (IsSteering(entry.Kind) && IsSteering(log[i].Kind))
                return log[i].Kind == entry.Kind && log[i].By == entry.By ? i : -1;
            if (log[i].Kind == entry.Kind && log[i].Host == entry.Host && log[i].How == entry.How && log[i].Reason == entry.Reason
                && (log[i].Stage == entry.Stage || entry.Host is not null))
                return i;
        }
        return -1;
    }

    static SweepLogEntry Merged(SweepLogEntry first, SweepLogEntry more) => IsSteering(first.Kind) ? first : first with
    {
        Count = first.Count + more.Count,
        Evaluations = first.Evaluations + more.Evaluations,
        Stage = first.Stage == more.Stage ? first.Stage : null,
        StageName = first.Stage == more.Stage ? first.StageName : null,
    };

    static int OldestOfTheMostFrequent(ImmutableArray<SweepLogEntry> log)
    {
        var kind = log.GroupBy(e => e.Kind).MaxBy(g => g.Count())!.Key;
        return Enumerable.Range(0, log.Length).First(i => log[i].Kind == kind);
    }
}
