using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Picks the parts that a worker gets. The rules are in <see cref="StageLeases"/>; here they meet the store, which decides what is
/// published:
/// before a part is handed out its cell is looked at, because a completion may not have been written, or not have been heard.
/// </summary>
/// <param name="inputs">Rows of other stages that this one reads.</param>
/// <param name="nextEpoch">Counts attempts; an epoch is given once.</param>
sealed class StageHandout(IPartCatalogue catalogue, InputRows inputs, Func<int> nextEpoch, LeaseOptions options)
{
    /// <summary>A state that was lost is made good cell by cell, so many in a call.</summary>
    const int MostLooks = 64;

    /// <param name="leased">Rows that are out with workers.</param>
    /// <returns>The state, with what the store said and who was given up, and the leases.</returns>
    public async Task<(StageState State, ImmutableArray<PartLease> Leases)> TakeAsync(
        string stageKey, StageState state, RowSet leased, string worker, LeaseRequest request)
    {
        var spec = state.Spec!;
        var leases = ImmutableArray.CreateBuilder<PartLease>();
        var looked = new HashSet<int>();
        var taken = 0;
        var asked = false;
        while (leases.Count == 0 || taken < request.Rows)
        {
            var part = state.Next(leased, inputs.Ready, request.PreferredRow, request.SweepId);
            if (!asked && (part is null || (request.PreferredRow is { } row && !inputs.Ready.Contains(new(row, row + 1)))))
            {
                await inputs.FollowAsync();
                asked = true;
                continue;
            }
            if (part is not var (wanted, keep, supplement))
                break;
            var cell = CellGrid.StartOf(wanted.Start);
            if (!looked.Contains(cell))
            {
                if (looked.Count >= MostLooks)
                    break;
                looked.Add(cell);
                state = await LookAsync(stageKey, state, CellGrid.RowsOf(cell));
                continue;
            }
            var (rows, exhausted) = state.Narrowed(wanted, options.StrikesBeforeSplit);
            if (exhausted)
            {
                var deadly = DeadlySample.Of(stageKey, spec, rows.Start, options.StrikesBeforeSplit);
                state = state with { Quarantined = state.Quarantined.Add(deadly) };
                continue;
            }
            var attempt = new PartAttempt(stageKey, rows.Start, nextEpoch(), Guid.NewGuid());
            leased = leased.Add(rows);
            leases.Add(new(attempt, spec, rows, keep, supplement)
            {
                EarlierAttempts = state.EarlierAttempts(rows),
                Worker = worker,
                TraceParent = state.Demands
                    .FirstOrDefault(d => (request.SweepId is null || d.SweepId == request.SweepId) && !d.Wanted.Intersect(rows).IsEmpty)
                    ?.TraceParent,
            });
            taken += rows.Count;
        }
        return (state, leases.ToImmutable());
    }

    /// <summary>
    /// Adds what the store has, and takes nothing away: a directory of a network may be seen as it was half a minute ago. Rows that
    /// are gone
    /// are found by whoever reads them.
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
