using System.Collections.Immutable;

namespace Taba.Grains.Faults;

/// <summary>
/// Decides whose fault it is that attempts end with their hosts: a row's, or a host's. Pure; docs/design/blame.md has it as a table.
/// </summary>
static class Blame
{
    /// <summary>A row is given up when it died alone so often, and more than one thing speaks for the row.</summary>
    public const int DeathsAlone = 2;

    /// <summary>
    /// Rows that are handed out to a host that has nothing else: they were in so many attempts that died and did not get on, or in one that
    /// died alone.
    /// </summary>
    /// <param name="othersLive">Another host can be asked: then one host's deaths are not enough, however many.</param>
    public static RowSet Suspects(ImmutableArray<LostAttempt> lost, int strikes, bool othersLive)
    {
        var deaths = lost.Where(l => l.Strike).ToList();
        if (deaths.Count == 0)
            return RowSet.Empty;
        var alone = RowSet.Of([.. deaths.Where(l => l.Alone).Select(l => l.Rows)]);
        var borders = deaths.SelectMany(l => new[] { (At: l.Rows.Start, Change: 1), (At: l.Rows.End, Change: -1) }).OrderBy(b => b.At)
            .ToList();
        var (covered, often) = (0, new List<RowRange>());
        for (var i = 0; i < borders.Count - 1; i++)
        {
            covered += borders[i].Change;
            if (covered >= strikes)
                often.Add(new(borders[i].At, borders[i + 1].At));
        }
        var suspects = RowSet.Of([.. often]);
        return alone.Union(othersLive && !suspects.IsEmpty ? suspects.Intersect(OfTwoHosts(deaths)) : suspects);
    }

    /// <summary>Rows that must not be handed out before somebody has looked how far their last attempt came.</summary>
    public static RowSet Unjudged(ImmutableArray<LostAttempt> lost) =>
        lost.Any(l => l.Unjudged) ? RowSet.Of([.. lost.Where(l => l.Unjudged).Select(l => l.Rows)]) : RowSet.Empty;

    /// <summary>
    /// Suspect rows in the pieces in which they are tried: what died alone is halved. Those of which the least died alone come first: so
    /// every other piece shows whether the host works.
    /// </summary>
    /// <param name="suspects">Suspect rows that are free.</param>
    /// <param name="rowsPerPart">The grid of the stage's parts.</param>
    public static IEnumerable<RowRange> Pieces(ImmutableArray<LostAttempt> lost, RowSet suspects, int rowsPerPart)
    {
        var dead = lost.Where(l => l is { Strike: true, Alone: true }).Select(l => l.Rows).ToList();
        var pieces = new List<RowRange>();
        for (var rest = suspects; !rest.IsEmpty; rest = rest.Subtract(pieces[^1]))
            pieces.Add(Piece(rest.Ranges[0], rowsPerPart, dead));
        return pieces.OrderBy(p => dead.Count(d => d.Contains(p)));
    }

    /// <summary>
    /// Whose fault it is that attempts at one row die: the row's, or nobody's so far. It takes the word of two hosts, or of one where no
    /// other can be asked.
    /// </summary>
    /// <param name="atWork">What hosts published last.</param>
    /// <param name="othersLive">Another host than those lives, and can try the row.</param>
    /// <param name="strikes">The deaths alone that it takes where there is one host, of which nothing else is known.</param>
    public static FaultOwner Of(
        int row, ImmutableArray<LostAttempt> lost, ImmutableArray<HostAtWork> atWork, bool othersLive, int strikes)
    {
        var own = new RowRange(row, row + 1);
        var alone = lost.Where(l => l is { Strike: true, Alone: true } && l.Rows.Contains(own)).ToList();
        var deaths = alone.Where(l => l.Rows == own).ToList();
        if (deaths.Count < DeathsAlone)
            return FaultOwner.Attempt;
        // A host that ends with everything says nothing.
        var witnesses = deaths.Where(l => !IsSuspect(l.Host, lost, atWork)).ToList();
        if (witnesses.Select(l => l.Host).Distinct().Count() > 1)
            return FaultOwner.Row;
        if (othersLive)
            return FaultOwner.Attempt;
        // The host died of it, published other rows, and died of it again.
        if (deaths.Any(last => alone.Any(first => first.Host == last.Host && last.HostWorked > first.At)))
            return FaultOwner.Row;
        return witnesses.Select(l => l.Device).Distinct().Count() > 1 || witnesses.Count >= Math.Max(DeathsAlone, strikes)
            ? FaultOwner.Row
            : FaultOwner.Attempt;
    }

    /// <summary>
    /// True when a host died of rows that have nothing in common, one after the other, and published nothing in between: then it is the
    /// host.
    /// </summary>
    public static bool IsSuspect(string host, ImmutableArray<LostAttempt> lost, ImmutableArray<HostAtWork> atWork)
    {
        var worked = atWork.FirstOrDefault(w => w.Host == host)?.Epoch ?? 0;
        var (latestStart, firstEnd) = (int.MinValue, int.MaxValue);
        foreach (var death in lost.Where(l => l is { Strike: true, Alone: true } && l.Host == host && worked <= l.At))
            (latestStart, firstEnd) = (Math.Max(latestStart, death.Rows.Start), Math.Min(firstEnd, death.Rows.End));
        return latestStart >= firstEnd;
    }

    /// <summary>Notes that a host published rows; the hosts that were heard of last are remembered.</summary>
    public static ImmutableArray<HostAtWork> With(this ImmutableArray<HostAtWork> hosts, string host, int epoch)
    {
        const int Most = 256;
        var known = hosts.FirstOrDefault(h => h.Host == host);
        if (known is not null && known.Epoch >= epoch)
            return hosts;
        var next = (known is null ? hosts : hosts.Remove(known)).Add(new(host, epoch));
        return next.Length > Most ? next[^Most..] : next;
    }

    static RowSet OfTwoHosts(List<LostAttempt> deaths)
    {
        var (one, two) = (RowSet.Empty, RowSet.Empty);
        foreach (var host in deaths.GroupBy(l => l.Host))
        {
            var rows = RowSet.Of([.. host.Select(l => l.Rows)]);
            (one, two) = (one.Union(rows), two.Union(one.Intersect(rows)));
        }
        return two;
    }

    static RowRange Piece(RowRange free, int rowsPerPart, List<RowRange> dead)
    {
        var piece = new RowRange(free.Start, Math.Min(free.End, (free.Start / rowsPerPart + 1) * rowsPerPart));
        foreach (var rows in dead)
        {
            if (rows.Contains(new(piece.Start, piece.Start + 1)))
                piece = piece.Intersect(rows);
            else if (rows.Start > piece.Start && rows.Start < piece.End)
                piece = piece with { End = rows.Start };
        }
        while (piece.Count > 1 && dead.Contains(piece))
            piece = piece with { End = piece.Start + (piece.Count + 1) / 2 };
        return piece;
    }
}
