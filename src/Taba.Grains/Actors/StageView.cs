using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Faults;
using Taba.Grains.Ports;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>What a stage says of itself: how it stands for a sweep, and what there is to do. In the grain's turns only.</summary>
sealed class StageView(
    string key, LeaseTable leases, InputRows inputs, StageHosts hosts, StageFence fence, ISiloDirectory silos)
{
    // By sweep: rows that were published before it asked.
    readonly Dictionary<string, int> _reused = [];

    /// <summary>A sweep asks for rows, of which so many are there.</summary>
    public void Asked(string sweepId, int done) => _reused[sweepId] = done;

    public void Withdrawn(string sweepId) => _reused.Remove(sweepId);

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
        var reused = Math.Min(done, _reused.GetValueOrDefault(sweepId));
        var (running, rowsLeased, reached) = leases.Within(wanted);
        var status = await hosts.AddToAsync(
            new(
                key, spec.Kind, wanted.Count, published, reused, failed.Rows().Count, running,
                (double)(wanted.Count - reused) * spec.EvaluationsPerRow, (double)(done - reused) * spec.EvaluationsPerRow + reached,
                state.Quarantined.About(failed).WithReasons([]), Fault: null)
            {
                Failed = failed,
                Submission = demand.Submission,
                RowsLeased = rowsLeased,
            },
            state);
        return status is { Fault: not null, Refusals.IsEmpty: false } && fence.RefusesAll(spec, await silos.GetAsync())
            ? status with { Fault = StageFence.PlanAgain }
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
            // The set with few gaps, where it says all that there is to say.
            var free = demand.Keep.IsEmpty
                ? demand.Wanted.Subtract(leases.Taken).Subtract(state.QuarantinedRows())
                : state.Open(demand).Subtract(leases.Rows);
            var ready = free.Intersect(inputs.Ready);
            var anybody = ready.Subtract(suspects).Count + (again ? 1 : 0);
            rows.Add(new(demand.SweepId, demand.Depth, anybody) { Suspect = anybody == 0 ? ready.Count : 0 });
        }
        return new(StageWork.Of(key, spec), default, [.. inputs.Stages], rows.ToImmutable())
        {
            Pauses = [.. hosts.Pauses.Where(p => p.Remaining > TimeSpan.Zero).Select(p => new WorkerPause(p.Worker, p.Remaining))],
        };
    }

    /// <summary>Rows that the store had all the time are nobody's work, and rows that it lost are work again.</summary>
    public void CountReused(ImmutableArray<StageDemand> demands, ImmutableArray<KeptRows> before, ImmutableArray<KeptRows> after)
    {
        if (before == after)
            return;
        foreach (var demand in demands)
        {
            var (then, now) = (Of(before, demand), Of(after, demand));
            var more = now.Subtract(then).Count - then.Subtract(now).Count;
            _reused[demand.SweepId] = Math.Max(0, _reused.GetValueOrDefault(demand.SweepId) + more);
        }

        static RowSet Of(ImmutableArray<KeptRows> published, StageDemand demand) =>
            new StageState { Published = published }.Published(demand.Keep).Intersect(demand.Wanted);
    }
}
