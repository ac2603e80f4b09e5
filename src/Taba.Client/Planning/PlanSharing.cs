using System.Globalization;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Planning;

/// <summary>How much work a plan saves, in network evaluations of all rows, whatever the store holds already.</summary>
/// <param name="Planned">Of the plan, which has each stage once.</param>
/// <param name="Alone">Were each run computed alone: it samples, inverts and reconstructs for itself.</param>
/// <param name="Swapped">Of the plan's steps whose prediction or state is given, so that they skip the network.</param>
sealed record PlanSharing(long Planned, long Alone, long Swapped)
{
    /// <summary>What runs save by sharing stages.</summary>
    public long Saved => Alone - Planned;

    /// <summary>How many times less work the plan is than its runs one by one; 1 when there is none.</summary>
    public double Factor => Planned == 0 ? 1 : (double)Alone / Planned;

    /// <summary>What sharing saves, in words; null when it saves nothing.</summary>
    public string? Saves => Saved <= 0 ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"runs that share stages save {Quantities.Count(Saved)} of {Quantities.Count(Alone)} evaluations ({Factor:0.00} times less work)");

    public static PlanSharing Of(SweepPlan plan)
    {
        var specs = plan.Stages.ToDictionary(s => s.Key, s => s.Spec);
        return new(
            plan.Evaluations,
            plan.Runs.Sum(run => run.Rows.Count * StagesOf(run, specs).Sum(key => (long)specs[key].EvaluationsPerRow)),
            plan.Stages.Sum(s => s.Rows.Count * (long)SwappedOf(s.Spec)));
    }

    /// <summary>The stages that make a run's tensors, and all that those read.</summary>
    static HashSet<string> StagesOf(PlannedRun run, Dictionary<string, StageSpec> specs)
    {
        var all = new HashSet<string>();
        var open = new Stack<string>(run.Tensors.Select(t => t.Rows).OfType<StageRows>().Select(rows => rows.Key));
        while (open.TryPop(out var key))
        {
            if (!all.Add(key))
                continue;
            foreach (var input in specs[key].InputKeys)
                open.Push(input);
        }
        return all;
    }

    static int SwappedOf(StageSpec spec) => spec.HasSteps ? (spec.Swap?.Before ?? 0) * (spec.Guidance > 1 ? 2 : 1) : 0;
}
