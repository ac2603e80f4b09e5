using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Client.Hosts;

/// <summary>A plan to look at. Its stages have keys that no run has when something is absent.</summary>
/// <param name="Plan">Stages and runs.</param>
/// <param name="Absent">What is not here of models and datasets.</param>
sealed record PlanOutline(SweepPlan Plan, IReadOnlyList<AbsentFile> Absent)
{
    public bool IsExact => Absent.Count == 0;
}
