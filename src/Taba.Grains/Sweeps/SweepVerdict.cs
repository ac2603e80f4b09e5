using Taba.Grains.Stages;

namespace Taba.Grains.Sweeps;

/// <summary>How a sweep stands, as a function of what its stages say.</summary>
public static class SweepVerdict
{
    /// <summary>A row that failed is missing in every stage that depends on it: the sweep ends when nothing else is missing.</summary>
    /// <param name="plan">The sweep's plan.</param>
    /// <param name="stages">What its stages say, in the plan's order.</param>
    /// <param name="paused">Whether it hands out no work.</param>
    /// <param name="waitsOutFaults">Whether a stage with a fault tries again by itself.</param>
    public static SweepState Of(SweepPlan plan, IReadOnlyList<StageStatus> stages, bool paused, bool waitsOutFaults)
    {
        var lost = new Dictionary<string, RowSet>();
        var open = false;
        var failed = false;
        for (var i = 0; i < stages.Count; i++)
        {
            var planned = plan.Stages[i];
            var missing = stages[i].Failed.Rows();
            foreach (var input in planned.Spec.InputKeys)
            {
                if (lost.TryGetValue(input, out var inherited))
                    missing = missing.Union(planned.Spec.Without(inherited));
            }
            missing = missing.Intersect(planned.Rows).Subtract(stages[i].Done);
            lost[planned.Key] = missing;
            failed |= !missing.IsEmpty;
            open |= !stages[i].Done.Union(missing).Contains(planned.Rows);
        }
        if (open && plan.OnError.StopAfter is { } limit && stages.Sum(s => (long)s.RowsFailed) >= limit)
            return SweepState.Stopped;
        if (open && paused)
            return SweepState.Paused;
        if (open && !waitsOutFaults && stages.Any(s => s.Fault is not null) && stages.All(s => s.PartsLeased == 0))
            return SweepState.Faulted;
        return open ? SweepState.Running : failed ? SweepState.CompletedWithFailures : SweepState.Completed;
    }

    /// <summary>Whether a verdict ends a sweep. A fault does not: the same command continues.</summary>
    public static bool Ends(this SweepState verdict) =>
        verdict is SweepState.Completed or SweepState.CompletedWithFailures or SweepState.Stopped;
}
