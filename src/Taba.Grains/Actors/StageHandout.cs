using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Picks the parts that a worker gets. The rules are in <see cref="StageLeases"/> and <see cref="Blame"/>; here they meet the store, which
/// decides what is published: before a part is handed out its cell is looked at, because a completion may not have been written, or not
/// have been heard.
/// </summary>
/// <param name="inputs">Rows of other stages that this one reads.</param>
/// <param name="nextEpoch">Counts attempts; an epoch is given once.</param>
sealed class StageHandout(IPartCatalogue catalogue, InputRows inputs, Func<int> nextEpoch, LeaseOptions options)
{
    /// <summary>A state that was lost is made good cell by cell, so many in a call.</summary>
    const int MostLooks = 64;

    /// <summary>Samples that were found to kill.</summary>
    public List<SampleFailure> GivenUp { get; } = [];

    /// <param name="table">The leases that are out, to which nothing is added here.</param>
    /// <param name="asker">Who asks.</param>
    /// <returns>The state, with what the store said and who was given up, and the leases.</returns>
    public async Task<(StageState State, ImmutableArray<PartLease> Leases)> TakeAsync(
        string stageKey, StageState state, LeaseTable table, HandoutAsker asker, LeaseRequest request)
    {
        var (leased, closed) = (table.Rows, table.Taken);
        var leases = ImmutableArray.CreateBuilder<PartLease>();
        var looked = new HashSet<int>();
        var suspects = Blame.Suspects(state.Lost, options.StrikesBeforeSplit, asker.Others.Count > 0);
        var unjudged = Blame.Unjudged(state.Lost);
        var avoided = suspects.Union(unjudged).Union(asker.LeavesToOthers(state.Lost));
        var taken = 0;
        var asked = false;
        while (leases.Count == 0 || taken < request.Rows)
        {
            var part = state.Next(leased, inputs.Ready, request.PreferredRow, request.SweepId, avoided, closed);
            if (!asked && (part is null || (request.PreferredRow is { } row && !inputs.Ready.Contains(new(row, row + 1)))))
            {
                await inputs.FollowAsync();
                asked = true;
                continue;
            }
            var alone = part is null;
            if (alone)
            {
                // The others come first: what they publish shows that their hosts work.
                if (suspects.IsEmpty || leases.Count > 0)
                    break;
                (state, part) = NextSuspect(stageKey, state, leased, suspects.Subtract(unjudged), asker, request.SweepId);
                if (part is null || request.Held > 0)
                    break;
            }
            var (rows, keep, supplement) = part!.Value;
            var cell = CellGrid.StartOf(rows.Start);
            if (!looked.Contains(cell))
            {
                if (looked.Count >= MostLooks)
                    break;
                looked.Add(cell);
                state = await LookAsync(stageKey, state, CellGrid.RowsOf(cell));
                closed = closed.Union(state.Published(CaptureSelection.None).Intersect(CellGrid.RowsOf(cell)));
                continue;
            }
            var lease = Lease(stageKey, state, rows, keep, supplement, asker, request.SweepId, alone);
            (leased, closed) = (leased.Add(rows), closed.Add(rows));
            leases.Add(lease);
            taken += alone ? request.Rows : rows.Count;
        }
        return (state, leases.ToImmutable());
    }

    PartLease Lease(
        string stageKey, StageState state, RowRange rows, CaptureSelection keep, bool supplement, HandoutAsker asker, string? sweepId,
        bool alone) =>
        new(new(stageKey, rows.Start, nextEpoch(), Guid.NewGuid()), state.Spec!, rows, keep, supplement)
        {
            EarlierAttempts = state.EarlierAttempts(rows),
            Worker = asker.Worker,
            TraceParent = state.Demands
                .FirstOrDefault(d => (sweepId is null || d.SweepId == sweepId) && !d.Wanted.Intersect(rows).IsEmpty)?.TraceParent,
            Alone = alone,
        };

    /// <summary>Gives up rows of which it is proven that they kill; of the others, those that this host is to try next.</summary>
    (StageState State, (RowRange Rows, CaptureSelection Keep, bool Supplement)? Part) NextSuspect(
        string stageKey, StageState state, RowSet leased, RowSet suspects, HandoutAsker asker, string? sweepId)
    {
        var spec = state.Spec!;
        foreach (var piece in Blame.Pieces(state.Lost, suspects, PartGrid.RowsPerPart(spec)))
        {
            if (state.Next(leased, inputs.Ready.Intersect(piece), preferredRow: null, sweepId) is not { } part)
                continue;
            // That a host died of more than one row says nothing of this one.
            var diedOn = state.Lost
                .Where(l => l is { Strike: true, Alone: true } && (part.Rows.Count == 1 ? l.Rows == part.Rows : l.Rows.Contains(part.Rows)))
                .Select(l => l.Host).ToList();
            if (part.Rows.Count == 1 && Blame.Of(
                part.Rows.Start, state.Lost, state.AtWork, asker.Others.Except(diedOn).Any(), options.StrikesBeforeSplit) == FaultOwner.Row)
            {
                var deadly = DeadlySample.Of(stageKey, spec, part.Rows.Start, state.Lost);
                state = state.WithFailed([deadly]);
                GivenUp.Add(deadly);
                continue;
            }
            // A host that works tells more than one that failed lately: it gets the first chance.
            if (!asker.FailedLately || !asker.Better.Except(diedOn).Any())
                return (state, part);
        }
        return (state, null);
    }

    /// <summary>
    /// Adds what the store has, and takes nothing away: a directory of a network may be seen as it was half a minute ago. Rows that are
    /// gone are found by whoever reads them.
    /// </summary>
    async Task<StageState> LookAsync(string stageKey, StageState state, RowRange cell)
    {
        foreach (var kept in await catalogue.GetPublishedAsync(stageKey, cell, CancellationToken.None))
        {
            if (!kept.Rows.Subtract(state.Published(kept.Kept)).IsEmpty)
                state = state.WithPublished(kept.Rows, kept.Kept);
        }
        return state;
    }
}

/// <summary>A worker that asks for parts.</summary>
/// <param name="Worker">Its address.</param>
/// <param name="Host">Its host.</param>
/// <param name="Others">The other hosts that live and could take the stage.</param>
/// <param name="FailedLately">The host failed at this stage, and did not show since that it works.</param>
readonly record struct HandoutAsker(string Worker, string Host, IReadOnlyCollection<string> Others, bool FailedLately)
{
    /// <summary>Those of the others that did not fail lately.</summary>
    public IReadOnlyCollection<string> Better { get; init; } = Others;

    /// <summary>Rows that the host died of, and a better one did not.</summary>
    public RowSet LeavesToOthers(ImmutableArray<LostAttempt> lost)
    {
        if (!FailedLately || Better.Count == 0)
            return RowSet.Empty;
        var (host, better) = (Host, Better);
        return RowSet.Of(
        [
            .. lost.Where(l => l.Strike && l.Host == host && better.Except(
                lost.Where(o => o.Strike && !o.Rows.Intersect(l.Rows).IsEmpty).Select(o => o.Host)).Any()).Select(l => l.Rows),
        ]);
    }
}
