using System.Collections.Immutable;
using Taba.Grains.Faults;

namespace Taba.Grains.Stages;

/// <summary>The durable state of a stage. Its size follows gaps, leases and failures, not the number of parts.</summary>
[GenerateSerializer, Alias("taba.StageState")]
public sealed record StageState
{
    [Id(0)] public int Schema { get; init; } = 1;

    [Id(1)] public StageSpec? Spec { get; init; }

    [Id(2)] public int Epoch { get; init; }

    /// <summary>Rows whose result is published, for each selection that was kept with them.</summary>
    [Id(3)] public ImmutableArray<KeptRows> Published { get; init; } = [];

    [Id(4)] public ImmutableArray<Lease> Leases { get; init; } = [];

    [Id(5)] public ImmutableArray<StageDemand> Demands { get; init; } = [];

    /// <summary>The first failures in words; in states that earlier versions wrote, all of them.</summary>
    [Id(6)] public ImmutableArray<SampleFailure> Quarantined { get; init; } = [];

    /// <summary>Attempts that ended without publishing: whose checkpoints may be of use, and what kills its workers.</summary>
    [Id(7)] public ImmutableArray<LostAttempt> Lost { get; init; } = [];

    /// <summary>Samples that failed, by kind; not tried again until retried.</summary>
    [Id(21)] public ImmutableArray<FailedRows> Failed { get => field.IsDefault ? Failures.Of(Quarantined) : field; init; }

    /// <summary>The last that each host published: evidence that it works (docs/design/blame.md).</summary>
    [Id(20)] public ImmutableArray<HostAtWork> AtWork { get => field.IsDefault ? [] : field; init; } = [];
}

/// <summary>A part that is out with a worker.</summary>
[GenerateSerializer, Immutable, Alias("taba.Lease")]
public sealed record Lease(PartAttempt Attempt, RowRange Rows, string Worker, DateTimeOffset ExpiresAt)
{
    /// <summary>Its worker has nothing else in hand.</summary>
    [Id(20)] public bool Alone { get; init; }

    /// <summary>The host of its worker, by the name that it keeps when it starts anew.</summary>
    [Id(21)] public string Host { get => field ?? HostName.Of(Worker); init; }
}

/// <summary>The decisions of a stage as pure functions of its state: what is published, what is free, what to hand out next.</summary>
public static class StageLeases
{
    static readonly RowRange s_all = new(0, int.MaxValue);

    /// <summary>Rows published with at least <paramref name="need"/> kept.</summary>
    public static RowSet Published(this StageState state, CaptureSelection need) =>
        state.Published.Where(p => p.Kept.Covers(need)).Aggregate(RowSet.Empty, (rows, p) => rows.Union(p.Rows));

    /// <summary>Rows in quarantine.</summary>
    public static RowSet QuarantinedRows(this StageState state) => state.Failed.Rows();

    /// <summary>Gives samples up.</summary>
    public static StageState WithFailed(this StageState state, ImmutableArray<SampleFailure> failures) => failures.IsEmpty
        ? state
        : state with
        {
            Failed = state.Failed.With(Failures.Of(failures)),
            Quarantined = state.Quarantined.WithReasons(failures),
        };

    /// <summary>The newest of these are remembered; the oldest are of the least use.</summary>
    const int LostKept = 512;

    /// <summary>
    /// The most earlier attempts that a lease names. A sample that one of them finished is nowhere else, and silos may die many times in a
    /// row.
    /// </summary>
    const int EarlierNamed = 32;

    /// <summary>Remembers that attempts ended without publishing, and for what each counts (<see cref="LostAttempt"/>).</summary>
    public static StageState WithLost(this StageState state, params IEnumerable<LostAttempt> ended)
    {
        var lost = state.Lost.AddRange(ended);
        return lost.Length == state.Lost.Length ? state : state with { Lost = lost.Length > LostKept ? lost[^LostKept..] : lost };
    }

    /// <summary>Each sweep that wants some of these rows is told that a part of its was lost.</summary>
    public static StageState WithPartLost(this StageState state, RowRange rows) => state with
    {
        Demands = [.. state.Demands.Select(d => d.Wanted.CountIn(rows) > 0 ? d with { PartsLost = d.PartsLost + 1 } : d)],
    };

    /// <summary>A demand as the stage keeps it, with what it knows of the sweep already.</summary>
    /// <param name="trace">The span of the stage's work for it.</param>
    public static StageDemand Wish(this StageState state, StageDemand demand, string? trace)
    {
        var asked = state.Demands.FirstOrDefault(d => d.SweepId == demand.SweepId);
        return demand with
        {
            KeepFailures = false,
            TraceParent = trace,
            PartsLost = asked?.PartsLost ?? 0,
            Reused = (asked?.Submission == demand.Submission ? asked.Reused : null)
                ?? state.Published(demand.Keep).Intersect(demand.Wanted).Count,
        };
    }

    /// <summary>
    /// Rows that the store had all the time are nobody's work, and rows that it lost are work again. What attempts of ours published that
    /// ended before they told is work that was done.
    /// </summary>
    /// <param name="before">What was known to be published.</param>
    /// <param name="own">Attempts that ended before they told.</param>
    public static StageState WithReused(this StageState state, ImmutableArray<KeptRows> before, ImmutableArray<LostAttempt> own)
    {
        if (before == state.Published)
            return state;
        var then = state with { Published = before };
        var made = RowSet.Of([.. own.Select(l => l.Rows)]);
        return state with { Demands = [.. state.Demands.Select(Counted)] };

        StageDemand Counted(StageDemand demand)
        {
            var known = then.Published(demand.Keep).Intersect(demand.Wanted);
            var now = state.Published(demand.Keep).Intersect(demand.Wanted);
            var more = now.Subtract(known).Subtract(made).Count - known.Subtract(now).Count;
            return more == 0 ? demand : demand with { Reused = Math.Max(0, (demand.Reused ?? 0) + more) };
        }
    }

    /// <summary>What was found of an attempt that nobody had judged yet.</summary>
    /// <param name="gotOn">
    /// Rows that are further in its checkpoint than in any before it. If there are any its end speaks against none of its rows. And what
    /// ended before at rows that got on since did not end of them; nor did what was alone on its host, if that ends without their doing.
    /// </param>
    /// <param name="reached">The step, on average, with which its rows go on.</param>
    public static StageState WithJudged(this StageState state, LostAttempt lost, RowSet gotOn, double reached)
    {
        var known = state.Lost.Replace(lost, lost with { Unjudged = false, Strike = gotOn.IsEmpty, Reached = reached });
        return state with
        {
            Lost = gotOn.IsEmpty
                ? known
                : [.. known.Select(l => l.Strike && IsRefuted(l) ? l with { Strike = false } : l)],
        };

        bool IsRefuted(LostAttempt strike) =>
            gotOn.Contains(strike.Rows) || (lost.Alone && strike.Alone && strike.Host == lost.Host);
    }

    /// <summary>Attempts that had any of these rows and did not finish them, the newest first.</summary>
    public static ImmutableArray<EarlierAttempt> EarlierAttempts(this StageState state, RowRange rows) =>
    [
        .. state.Lost.Reverse().Where(l => !l.Rows.Intersect(rows).IsEmpty && l.Attempt.Id != Guid.Empty)
            .Select(l => new EarlierAttempt(l.Attempt, l.Rows)).Take(EarlierNamed),
    ];

    /// <summary>What the store says of some rows takes the place of what the state believed of them.</summary>
    /// <param name="looked">The rows that the store was asked for.</param>
    /// <param name="found">What it has of them.</param>
    public static StageState WithSeen(this StageState state, RowRange looked, ImmutableArray<KeptRows> found)
    {
        var published = state.Published.Select(p => p with { Rows = p.Rows.Subtract(looked) }).Where(
            p => !p.Rows.IsEmpty).ToImmutableArray();
        return found.Aggregate(
            state with { Published = published }, (next, kept) => next.WithPublished(kept.Rows.Intersect(RowSet.Of(looked)), kept.Kept));
    }

    /// <summary>Samples that were given up are tried again, as often as at first.</summary>
    public static StageState WithRetried(this StageState state, RowSet wanted)
    {
        var again = state.QuarantinedRows().Intersect(wanted);
        return again.IsEmpty ? state : state with
        {
            Failed = state.Failed.Without(again),
            Quarantined = state.Quarantined.About(state.Failed.Without(again)).WithReasons([]),
            Lost = state.Lost.RemoveAll(l => l.Rows.Count == 1 && again.Contains(l.Rows)),
        };
    }

    /// <summary>Adds rows to what is published.</summary>
    public static StageState WithPublished(this StageState state, RowSet rows, CaptureSelection kept)
    {
        if (rows.IsEmpty)
            return state;
        var i = state.Published.ToList().FindIndex(p => p.Kept == kept);
        var all = i < 0 ? rows : state.Published[i].Rows.Union(rows);
        return state with
        {
            Lost = state.Lost.RemoveAll(l => all.Contains(l.Rows)),
            Published = i < 0 ? state.Published.Add(new(kept, rows)) : state.Published.SetItem(i, new(kept, all)),
        };
    }

    /// <summary>Adds a sweep's demand, or replaces it in its place: a sweep that is submitted again does not lose its turn.</summary>
    public static ImmutableArray<StageDemand> With(this ImmutableArray<StageDemand> demands, StageDemand demand)
    {
        var i = demands.ToList().FindIndex(d => d.SweepId == demand.SweepId);
        return i < 0 ? demands.Add(demand) : demands.SetItem(i, demand);
    }

    /// <summary>
    /// The next part to hand out: rows that some sweep wants, that nobody has published, leased or given up, and whose inputs
    /// are there. A part without its result comes before one that only lacks kept tensors.
    /// </summary>
    /// <param name="state">The stage.</param>
    /// <param name="leased">Rows that are out with workers.</param>
    /// <param name="inputs">Rows whose inputs are available.</param>
    /// <param name="preferredRow">A row to begin with, if it is free.</param>
    /// <param name="sweepId">Only rows that this sweep wants; null for any, in the order in which sweeps asked.</param>
    /// <param name="avoided">Rows that are not handed out so: suspects.</param>
    /// <param name="taken">Rows that are out with workers or have a result; null when it is not at hand.</param>
    public static (RowRange Rows, CaptureSelection Keep, bool Supplement)? Next(
        this StageState state, RowSet leased, RowSet inputs, int? preferredRow, string? sweepId = null, RowSet? avoided = null,
        RowSet? taken = null)
    {
        if (state.Spec is not { } spec)
            return null;
        taken ??= leased.Union(state.Published(CaptureSelection.None));
        avoided = state.QuarantinedRows().Union(avoided ?? RowSet.Empty);
        var demands = sweepId is null ? state.Demands : state.Demands.RemoveAll(d => d.SweepId != sweepId);
        var rowsPerPart = PartGrid.RowsPerPart(spec);

        foreach (var demand in demands)
        {
            if (Pick([demand.Wanted, inputs], [taken, avoided], preferredRow, rowsPerPart) is { } rows)
                return (rows, KeepFor(state, rows), false);
        }
        foreach (var demand in demands.Where(d => !d.Keep.IsEmpty))
        {
            if (Pick([demand.Wanted, inputs], [state.Published(demand.Keep), leased, avoided], preferredRow, rowsPerPart) is { } rows)
                return (rows, KeepFor(state, rows), true);
        }
        return null;
    }

    /// <summary>Rows that a sweep wants and that are neither done nor given up.</summary>
    public static RowSet Open(this StageState state, StageDemand demand) =>
        demand.Wanted.Subtract(state.Published(demand.Keep)).Subtract(state.QuarantinedRows());

    /// <summary>
    /// Whether a lease that the state lacks may be taken up again: its rows are wanted and in nobody's hands, and it did not end.
    /// </summary>
    /// <param name="leased">Rows that are out with workers.</param>
    public static bool MayAdopt(this StageState state, RowSet leased, PartProgress part) =>
        !part.Rows.IsEmpty && part.Attempt.Epoch <= state.Epoch && state.Lost.All(l => l.Attempt != part.Attempt)
        && leased.Intersect(part.Rows).IsEmpty && state.Demands.Any(d => !state.Open(d).Intersect(part.Rows).IsEmpty);

    /// <summary>True when any sweep still waits for rows of this stage.</summary>
    public static bool HasOpenDemand(this StageState state) => state.Demands.Any(state.IsOpen);

    /// <summary>True when a sweep waits for rows.</summary>
    public static bool IsOpen(this StageState state, StageDemand demand) =>
        First(s_all, [demand.Wanted], [state.Published(demand.Keep), state.QuarantinedRows()]) is not null;

    static CaptureSelection KeepFor(StageState state, RowRange rows) =>
        state.Demands.Where(d => !d.Wanted.Intersect(rows).IsEmpty).Aggregate(CaptureSelection.None, (keep, d) => keep.Union(d.Keep));

    static RowRange? Pick(ReadOnlySpan<RowSet> within, ReadOnlySpan<RowSet> without, int? preferredRow, int rowsPerPart)
    {
        var preferred = preferredRow is { } row
            ? First(new(row / rowsPerPart * rowsPerPart, (row / rowsPerPart + 1) * rowsPerPart), within, without)
            : null;
        return (preferred ?? First(s_all, within, without)) is { } gap ? PartGrid.Clip(gap, rowsPerPart) : null;
    }

    /// <summary>The first rows that follow each other, are in all of some sets and in none of others.</summary>
    /// <param name="bounds">Where to look.</param>
    static RowRange? First(RowRange bounds, ReadOnlySpan<RowSet> within, ReadOnlySpan<RowSet> without)
    {
        Span<int> withinAt = stackalloc int[within.Length];
        Span<int> withoutAt = stackalloc int[without.Length];
        for (var row = bounds.Start; row < bounds.End;)
        {
            var (next, end) = (row, bounds.End);
            for (var i = 0; i < within.Length; i++)
            {
                withinAt[i] = within[i].FirstEndingAfter(row, withinAt[i]);
                if (withinAt[i] == within[i].Ranges.Length)
                    return null;
                var range = within[i].Ranges[withinAt[i]];
                (next, end) = (Math.Max(next, range.Start), Math.Min(end, range.End));
            }
            for (var i = 0; i < without.Length; i++)
            {
                withoutAt[i] = without[i].FirstEndingAfter(row, withoutAt[i]);
                if (withoutAt[i] == without[i].Ranges.Length)
                    continue;
                var range = without[i].Ranges[withoutAt[i]];
                (next, end) = range.Start <= row ? (Math.Max(next, range.End), end) : (next, Math.Min(end, range.Start));
            }
            if (next == row)
                return new(row, end);
            row = next;
        }
        return null;
    }
}
