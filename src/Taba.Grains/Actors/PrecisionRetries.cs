using System.Collections.Immutable;
using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Actors;

/// <summary>
/// Has rows that gave NaN or Inf in half precision computed once more in float32, and the stages that depend on them from there. Each time
/// the sweep looks at its stages it derives, from their failures alone, which further stages there must be, and demands exactly those rows
/// of them. A crash loses only which stages were asked already: they are asked again. One look at a time. docs/design/precision-retries.md
/// has an example.
/// </summary>
/// <param name="sweepId">The sweep.</param>
/// <param name="submission">Its number of the present submission.</param>
/// <param name="stageOf">The grain of a stage.</param>
/// <param name="mayAsk">Notes that a stage is about to be asked; false when the sweep wants nothing any more.</param>
sealed class PrecisionRetries(
    string sweepId, int submission, Func<string, IStageGrain> stageOf, Func<string, Task<bool>> mayAsk, string? traceParent)
{
    readonly Dictionary<string, StageDemand> _demanded = [];
    int _numerics = ProgramVersion.Own.Numerics;

    /// <summary>Adds to what the planned stages say what their stand-ins say.</summary>
    /// <param name="plan">The sweep's plan.</param>
    /// <param name="planned">What its stages say, in the plan's order.</param>
    /// <returns>The same stages, in which a row counts as done when its stand-in is; and which rows stand where.</returns>
    public async Task<(StageStatus[] Stages, ImmutableArray<RowSubstitution> Substitutions)> ApplyAsync(
        SweepPlan plan, StageStatus[] planned)
    {
        // Nearly always: nothing to do, and nothing to ask.
        if (planned.All(status => status.Failed.Rows(FailureKind.NonFinite).IsEmpty))
            return (planned, []);
        _numerics = plan.Numerics;
        var stages = new StageStatus[planned.Length];
        var standIns = new Dictionary<string, List<StandIn>>();
        var substitutions = ImmutableArray.CreateBuilder<RowSubstitution>();
        for (var i = 0; i < planned.Length; i++)
        {
            var stage = plan.Stages[i];
            if (stage.Spec.Measure is not null)
            {
                // What stands under another key is measured by whoever writes the folder (docs/design/measuring.md): nobody waits for it.
                var moved = stage.Spec.InputKeys.SelectMany(key => standIns.GetValueOrDefault(key, [])).Aggregate(
                    RowSet.Empty, (rows, standIn) => rows.Union(standIn.Rows));
                stages[i] = planned[i] with { Done = planned[i].Done.Union(stage.Spec.Without(moved).Intersect(stage.Rows)) };
                continue;
            }
            // Few rows: those that wait for them come before all others.
            var found = await StandInsAsync(stage, planned[i], planned.Length + i, standIns);
            stages[i] = found.Aggregate(planned[i], (status, standIn) => Add(stage, status, standIn));
            foreach (var standIn in found)
            {
                var rows = standIn.Rows.Intersect(standIn.Status.Done);
                if (!rows.IsEmpty)
                    substitutions.Add(new(stage.Key, rows, standIn.Key, standIn.Retry));
            }
            if (found.Count > 0)
                standIns[stage.Key] = found;
        }
        return (stages, substitutions.ToImmutable());
    }

    /// <summary>
    /// The stages that stand in for rows of a planned one: first those with other inputs, then those in a higher precision.
    /// </summary>
    async Task<List<StandIn>> StandInsAsync(
        PlannedStage stage, StageStatus status, int depth, Dictionary<string, List<StandIn>> before)
    {
        var found = new List<StandIn>();
        var own = RowSet.Of(stage.Rows);
        foreach (var (spec, rows) in WithOtherInputs(stage, before))
        {
            own = own.Subtract(rows);
            var standIn = await DemandAsync(stage, spec, rows, depth, retry: null);
            await RaiseAsync(spec, rows, standIn.Status, standIn);
            found.Add(standIn);
        }
        await RaiseAsync(stage.Spec, own, status, lower: null);
        return found;

        async Task RaiseAsync(StageSpec spec, RowSet rows, StageStatus said, StandIn? lower)
        {
            var failed = said.Failed.Rows(FailureKind.NonFinite).Intersect(rows);
            if (failed.IsEmpty || HigherPrecision.Of(spec) is not { } raised)
                return;
            // A row has one place: what failed in the lower precision is not looked for there.
            if (lower is not null)
                lower.Rows = lower.Rows.Subtract(failed);
            found.Add(await DemandAsync(stage, raised, failed, depth, HigherPrecision.Change(spec, raised)));
        }
    }

    async Task<StandIn> DemandAsync(PlannedStage stage, StageSpec spec, RowSet rows, int depth, PrecisionRetry? retry)
    {
        var key = StageKey.Of(spec, _numerics);
        var demand = new StageDemand(sweepId, spec, new(rows.Ranges[0].Start, rows.Ranges[^1].End), stage.Keep)
        {
            Only = rows,
            TraceParent = traceParent,
            Depth = depth,
            Submission = submission,
            // More rows failed since: those that failed here too are not tried a third time.
            KeepFailures = _demanded.ContainsKey(key),
        };
        if ((!_demanded.TryGetValue(key, out var earlier) || earlier.Only != rows) && await mayAsk(key))
        {
            await stageOf(key).DemandAsync(demand);
            _demanded[key] = demand;
        }
        return new(key, spec, rows, retry, await stageOf(key).GetStatusAsync(sweepId));
    }

    /// <summary>The stage as it is for rows that begin with a row of a stand-in, or swap one in.</summary>
    static IEnumerable<(StageSpec Spec, RowSet Rows)> WithOtherInputs(PlannedStage stage, Dictionary<string, List<StandIn>> standIns)
    {
        var groups = new List<(StageSpec Spec, RowSet Rows)> { (stage.Spec, RowSet.Of(stage.Rows)) };
        if (stage.Spec.Input is StageRows input)
            Split(input, (spec, key) => spec with { Input = key });
        if (stage.Spec.Swap is { Source: StageRows source })
            Split(source, (spec, key) => spec with { Swap = spec.Swap! with { Source = key } });
        return groups.Where(g => g.Spec != stage.Spec && !g.Rows.IsEmpty);

        void Split(StageRows from, Func<StageSpec, StageRows, StageSpec> with)
        {
            foreach (var standIn in standIns.GetValueOrDefault(from.Key, []))
            {
                foreach (var (spec, rows) in groups.ToList())
                {
                    var moved = rows.Intersect(standIn.Rows);
                    if (moved.IsEmpty)
                        continue;
                    groups.Remove((spec, rows));
                    groups.Add((spec, rows.Subtract(moved)));
                    groups.Add((with(spec, new StageRows(standIn.Key)), moved));
                }
            }
        }
    }

    static StageStatus Add(PlannedStage stage, StageStatus status, StandIn standIn)
    {
        var theirs = standIn.Status.Failed.Among(standIn.Rows);
        var failed = status.Failed.Without(standIn.Rows).With(theirs);
        var failures = status.Failures.About(status.Failed.Without(standIn.Rows))
            .WithReasons(standIn.Status.Failures.About(theirs).Select(f => f with
            {
                // Named after the stage that the user knows.
                StageKey = stage.Key,
                Reason = standIn.Retry is { } retry
                    ? $"{f.Reason} (Computed again after NaN or Inf in {retry.FromNetwork.Name()}.)"
                    : f.Reason,
            }));
        return status with
        {
            Done = status.Done.Union(standIn.Rows.Intersect(standIn.Status.Done)),
            RowsFailed = failed.Rows().Count,
            Failed = failed,
            PartsLeased = status.PartsLeased + standIn.Status.PartsLeased,
            RowsLeased = status.RowsLeased + standIn.Status.RowsLeased,
            EvaluationsPlanned = status.EvaluationsPlanned + (standIn.Retry is null ? 0 : standIn.Status.EvaluationsPlanned),
            EvaluationsDone = status.EvaluationsDone + standIn.Status.EvaluationsDone,
            Failures = failures,
            Fault = status.Fault ?? standIn.Status.Fault,
        };
    }

    /// <summary>A stage that has rows of a planned one.</summary>
    sealed class StandIn(string key, StageSpec spec, RowSet rows, PrecisionRetry? retry, StageStatus status)
    {
        public string Key => key;

        public StageSpec Spec => spec;

        public RowSet Rows { get; set; } = rows;

        public PrecisionRetry? Retry => retry;

        public StageStatus Status => status;
    }
}
