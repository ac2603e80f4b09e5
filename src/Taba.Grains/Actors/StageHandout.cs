using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>
/// Picks the parts that a worker gets. The rules are in <see cref="StageLeases"/>; here they meet the store, which decides what is
/// published:
/// before a part is handed out its cell is looked at, because a completion may not have been written, or not have been heard.
/// </summary>
sealed class StageHandout(IGrainFactory grains, IPartCatalogue catalogue, LeaseOptions options, TimeProvider time)
{
    /// <summary>A state that was lost is made good cell by cell, so many in a call.</summary>
    const int MostLooks = 64;

    /// <param name="inputs">Rows whose inputs were there when they were asked for last.</param>
    /// <returns>The state with the leases, the leases, and the rows whose inputs are there.</returns>
    public async Task<(StageState State, ImmutableArray<PartLease> Leases, RowSet Inputs)> TakeAsync(
        string stageKey, StageState state, RowSet inputs, string worker, LeaseRequest request)
    {
        var spec = state.Spec!;
        var leases = ImmutableArray.CreateBuilder<PartLease>();
        var looked = new HashSet<int>();
        var taken = 0;
        var asked = false;
        while (leases.Count == 0 || taken < request.Rows)
        {
            var part = state.Next(inputs, request.PreferredRow);
            if (!asked && (part is null || (request.PreferredRow is { } row && !inputs.Contains(new(row, row + 1)))))
            {
                inputs = await StageInputs.ReadyAsync(grains, spec);
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
            var attempt = new PartAttempt(stageKey, rows.Start, state.Epoch + 1, Guid.NewGuid());
            state = state with
            {
                Epoch = attempt.Epoch,
                Leases = state.Leases.Add(new(attempt, rows, worker, time.GetUtcNow() + options.Duration)),
            };
            leases.Add(new(attempt, spec, rows, keep, supplement)
            {
                EarlierAttempts = state.EarlierAttempts(rows),
                Worker = worker,
                TraceParent = state.Demands.FirstOrDefault(d => !d.Wanted.Intersect(rows).IsEmpty)?.TraceParent,
            });
            taken += rows.Count;
        }
        return (state, leases.ToImmutable(), inputs);
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
