using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;

namespace Taba.Client.Planning;

/// <summary>What a plan costs beyond what the store holds already.</summary>
/// <param name="Stages">In the plan's order.</param>
/// <param name="StoreBytes">To be written into the store.</param>
/// <param name="FolderBytes">To be written into run folders.</param>
sealed record PlanEstimate(IReadOnlyList<StageEstimate> Stages, long StoreBytes, long FolderBytes)
{
    public long Evaluations => Stages.Sum(s => s.Evaluations);

    /// <param name="stored">Rows of each stage in the store.</param>
    public static PlanEstimate Of(SweepPlan plan, IReadOnlyDictionary<string, RowSet> stored)
    {
        var stages = plan.Stages.Select(s => StageEstimate.Of(s, stored.GetValueOrDefault(s.Key, RowSet.Empty))).ToList();
        return new(stages, stages.Sum(s => s.Bytes), plan.Runs.Sum(FolderBytesOf));
    }

    static long FolderBytesOf(PlannedRun run) => RunFolderWriter.BytesOf(run);
}

/// <summary>One stage's share.</summary>
/// <param name="Reused">Rows that the store holds.</param>
/// <param name="Evaluations">Network evaluations of the rest.</param>
/// <param name="Bytes">Of the rest, with what is kept of its steps.</param>
sealed record StageEstimate(PlannedStage Stage, int Reused, long Evaluations, long Bytes)
{
    public static StageEstimate Of(PlannedStage stage, RowSet stored)
    {
        var reused = stored.Intersect(stage.Rows).Count;
        var missing = (long)stage.Rows.Count - reused;
        return new(
            stage, reused, missing * stage.Spec.EvaluationsPerRow,
            checked(missing * (stage.Spec.ResultShape.Bytes + (stage.Keep.TensorsPerRow * stage.Spec.Model.RowBytes))));
    }
}
