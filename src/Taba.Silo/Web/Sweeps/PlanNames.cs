using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Silo.Web.Sweeps;

/// <summary>A plan, with what is looked up in it for every stage.</summary>
sealed class PlanNames(SweepPlan plan)
{
    readonly Dictionary<string, PlannedStage> _stages = plan.Stages.ToDictionary(s => s.Key);

    public SweepPlan Plan => plan;

    /// <summary>The names of its stages by key.</summary>
    public IReadOnlyDictionary<string, string> Names { get; } = StageNames.Of(plan);

    /// <summary>The name of a stage; of one that the plan does not have, its key.</summary>
    public string Name(string key) => Names.GetValueOrDefault(key, key);

    /// <summary>Null for a stage that the plan does not have, such as one in a higher precision.</summary>
    public PlannedStage? Stage(string key) => _stages.GetValueOrDefault(key);
}
