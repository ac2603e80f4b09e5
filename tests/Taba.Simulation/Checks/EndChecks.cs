using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Simulation.Cluster;

namespace Taba.Simulation.Checks;

/// <summary>What must hold when faults have stopped and everything had its time.</summary>
static class EndChecks
{
    /// <summary>Sweeps that run have ended.</summary>
    public static bool AllEnded(SimCluster cluster) =>
        cluster.Facts.Intents.All(i => i.ScriptEnded && (i.IsPaused || i.IsCancelled || i.HasEnded));

    /// <summary>The index and the stages have forgotten what has ended.</summary>
    public static string? StillKnown(SimCluster cluster)
    {
        // A database that forgets may forget that one was cancelled.
        var live = cluster.Facts.Intents.Where(i => i.IsCancelled ? cluster.States.HasForgotten : i.IsPaused && !i.HasEnded)
            .Select(i => i.Plan.SweepId).ToHashSet();
        foreach (var key in cluster.States.Keys)
        {
            var bytes = cluster.States.Find(key)!.Bytes;
            if (key.StartsWith("sweep-index/", StringComparison.Ordinal)
                && Wire.Serializer.Deserialize<SweepIndexState>(bytes)!.Sweeps.FirstOrDefault(
                    s => s.Ended is null && !live.Contains(s.SweepId)) is { } listed)
                return $"the index lists {listed.SweepId} as live";
            // A withdrawal that the database lost comes back with the stage's next activation, which says so, and is withdrawn again.
            if (key.StartsWith("stage/", StringComparison.Ordinal) && !cluster.States.HasForgotten
                && Wire.Serializer.Deserialize<StageState>(bytes)!.Demands.FirstOrDefault(d => !live.Contains(d.SweepId)) is { } demand)
                return $"{key} holds a demand of {demand.SweepId}";
        }
        return null;
    }

    /// <summary>The list of sweeps says that one has ended, or does not know it any more.</summary>
    public static bool IsListedAsEnded(SimCluster cluster, string sweepId) =>
        cluster.States.Keys.FirstOrDefault(k => k.StartsWith("sweep-index/", StringComparison.Ordinal)) is { } key
        && Wire.Serializer.Deserialize<SweepIndexState>(cluster.States.Find(key)!.Bytes)!.Sweeps.All(
            s => s.SweepId != sweepId || s.Ended is not null);

    /// <summary>Why the run does not end, for people.</summary>
    public static string Waiting(SimCluster cluster) => string.Join("; ", cluster.Facts.Intents
        .Where(i => !(i.ScriptEnded && (i.IsPaused || i.IsCancelled || i.HasEnded)))
        .Select(i => $"{i.Plan.SweepId} is {i.Seen?.State.ToString() ?? "unseen"}"
            + $"{(i.ScriptEnded ? "" : ", its user waits for an answer")}: "
            + string.Join(", ", i.Seen?.Stages.Select(
                s => $"{s.Kind} {s.RowsDone}/{s.RowsWanted}, {s.PartsLeased} out{(s.Fault is { } f ? $", '{f}'" : "")}") ?? [])));

    /// <summary>Every row is published, or failed for a reason that there was.</summary>
    public static void Require(SimCluster cluster, StoreWatch store)
    {
        store.RequireAllSound();
        foreach (var intent in cluster.Facts.Intents.Where(i => i.HasEnded))
        {
            var lost = new Dictionary<string, RowSet>();
            foreach (var stage in intent.Seen!.Stages)
            {
                foreach (var (failed, row) in stage.Failed.SelectMany(f => Rows(f.Rows).Select(row => (f, row)))
                    .Where(f => !cluster.Facts.IsPoison(stage.Key, f.row)))
                    cluster.World.Break(
                        "nothing is given up without a reason",
                        $"{intent.Plan.SweepId}: sample {row} of {stage.Key} ({failed.Kind}): {stage.Failures.FirstOrDefault()?.Reason}");
            }
            foreach (var stage in intent.Plan.Stages)
            {
                var missing = intent.Seen.Stages.First(s => s.Key == stage.Key).Failed.Rows();
                foreach (var parent in stage.Spec.InputKeys)
                    missing = missing.Union(stage.Spec.Without(lost.GetValueOrDefault(parent, RowSet.Empty)));
                lost[stage.Key] = missing = missing.Intersect(stage.Rows);
                var absent = RowSet.Of(stage.Rows).Subtract(missing).Subtract(store.Published(stage.Key, stage.Keep));
                if (!absent.IsEmpty && intent.Seen.State != SweepState.Stopped && cluster.Facts.Damaged.Count == 0)
                    cluster.World.Break("a sweep that is complete has its rows", $"{intent.Plan.SweepId}: {absent} of {stage.Key}");
            }
            if (intent.Seen.State == SweepState.Completed && intent.Seen.SamplesFailed > 0)
                cluster.World.Break("a sweep says that rows failed", intent.Plan.SweepId);
        }
    }

    static IEnumerable<int> Rows(RowSet rows) => rows.Ranges.SelectMany(r => Enumerable.Range(r.Start, r.Count));
}
