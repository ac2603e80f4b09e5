using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Words;

namespace Taba.Grains.Actors;

/// <summary>What a stage says of itself: how it stands for a sweep, and what there is to do. In the grain's turns only.</summary>
sealed class StageView(
    string key, LeaseTable leases, InputRows inputs, StageHosts hosts, StageFence fence, ISiloDirectory silos)
{
    /// <summary>How its rows stand for a sweep.</summary>
    public async ValueTask<StageStatus> StatusAsync(StageState state, string sweepId)
    {
        var demand = state.Demands.FirstOrDefault(d => d.SweepId == sweepId);
        if (demand is null || state.Spec is not { } spec)
            return new(key, default, 0, RowSet.Empty, 0, 0, 0, 0, 0, [], Fault: null);
        var wanted = demand.Wanted;
        var published = state.Published(demand.Keep).Intersect(wanted);
        var done = published.Count;
        var failed = state.Failed.Among(wanted);
        var reused = Math.Min(done, demand.Reused ?? 0);
        var (running, rowsLeased, reached) = leases.Within(wanted);
        var ready = Ready(state, demand);
        var status = await hosts.AddToAsync(
            new(
                key, spec.Kind, wanted.Count, published, reused, failed.Rows().Count, running,
                (double)(wanted.Count - reused) * spec.EvaluationsPerRow, (double)(done - reused) * spec.EvaluationsPerRow + reached,
                state.Quarantined.About(failed).WithReasons([]), Fault: null)
            {
                Failed = failed,
                Submission = demand.Submission,
                RowsLeased = rowsLeased,
                RowsReady = ready.Count,
                RowsSuspect = ready.IsEmpty ? 0 : ready.Intersect(hosts.Suspects(state)).Count,
                PartsLost = demand.PartsLost,
                Losses = leases.Losses,
            },
            state);
        return status is { Fault: not null, Refusals.IsEmpty: false } && fence.RefusesAll(spec, await silos.GetAsync())
            ? status with { Fault = StageFence.PlanAgain, FaultOwner = FaultOwner.Stage }
            : status;
    }

    /// <summary>What there is to do now.</summary>
    /// <param name="again">
    /// A part is to be computed once more, and waits for whoever asks: as much as one row is enough to be asked.
    /// </param>
    public StageOffer? Offer(StageState state, bool again)
    {
        if (state.Spec is not { } spec)
            return null;
        var rows = ImmutableArray.CreateBuilder<OfferedRows>();
        // Nobody has judged some of them: whoever asks has that done.
        var suspects = hosts.Suspects(state).Subtract(Blame.Unjudged(state.Lost));
        foreach (var demand in state.Demands.Where(d => again || state.IsOpen(d)))
        {
            var ready = Ready(state, demand);
            var anybody = ready.Subtract(suspects).Count + (again ? 1 : 0);
            rows.Add(new(demand.SweepId, demand.Depth, anybody) { Suspect = anybody == 0 ? ready.Count : 0 });
        }
        return new(StageWork.Of(key, spec), default, [.. inputs.Stages], rows.ToImmutable())
        {
            Pauses = [.. hosts.Pauses.Where(p => p.Remaining > TimeSpan.Zero).Select(
                p => new WorkerPause(p.Worker, p.Remaining) { Reason = Sentences.Short(p.Reason) })],
        };
    }

    /// <summary>Where the rows are that a sweep wants. The rest of the answer than leases follows the number of cells.</summary>
    public StageParts Parts(StageState state, StagePartsAsk ask)
    {
        var demand = state.Demands.FirstOrDefault(d => d.SweepId == ask.SweepId);
        if (demand is null || state.Spec is not { } spec || demand.Wanted.IsEmpty)
            return new(key, default, [], 0, []);
        var wanted = demand.Wanted;
        var done = state.Published(demand.Keep).Intersect(wanted);
        var failed = state.QuarantinedRows().Intersect(wanted).Subtract(done);
        var running = leases.Rows.Intersect(wanted).Subtract(done).Subtract(failed);
        var all = new RowRange(wanted.Ranges[0].Start, wanted.Ranges[^1].End);
        var progress = leases.ProgressWithin(wanted).ToList();
        progress.Sort(static (a, b) => a.Lease.Rows.Start.CompareTo(b.Lease.Rows.Start));
        return new(
            key, all, StageStrip.Of(all, ask.Bins, wanted, done, running, failed), progress.Count,
            [
                .. progress.Skip(ask.From).Take(Math.Min(ask.Count, StageParts.MostLeases)).Select(p => new LeaseView(
                    p.Lease.Rows, p.Lease.Host, p.Lease.Worker, p.Age, p.SinceAdvance, p.Evaluations,
                    (double)p.Lease.Rows.Count * spec.EvaluationsPerRow, p.Lease.Alone)),
            ]);
    }

    /// <summary>Rows that could be computed now for a sweep.</summary>
    RowSet Ready(StageState state, StageDemand demand)
    {
        // The set with few gaps, where it says all that there is to say.
        var free = demand.Keep.IsEmpty
            ? demand.Wanted.Subtract(leases.Taken).Subtract(state.QuarantinedRows())
            : state.Open(demand).Subtract(leases.Rows);
        return free.Intersect(inputs.Ready);
    }
}
