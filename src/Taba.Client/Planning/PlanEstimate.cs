using Taba.Client.Hosts;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Models;

namespace Taba.Client.Planning;

/// <summary>The cost of a plan beyond what the store and the run folders hold already.</summary>
/// <param name="Stages">In the plan's order.</param>
/// <param name="StoreBytes">To be written into the store.</param>
/// <param name="FolderBytes">To be written into run folders.</param>
/// <param name="WorkingBytes">At most in the store while it runs, besides: checkpoints, and scratch files of kept tensors.</param>
sealed record PlanEstimate(IReadOnlyList<StageEstimate> Stages, long StoreBytes, long FolderBytes, long WorkingBytes)
{
    const double YardstickFlops = 316e12;

    public long Evaluations => Stages.Sum(s => s.Evaluations);

    /// <summary>
    /// Time within the engines, when the speed of every network that is needed is known. Autoencoders run beside them and are not
    /// counted.
    /// </summary>
    public TimeSpan? Time =>
        Steps.All(s => s.Speed is not null) ? TimeSpan.FromSeconds(Steps.Sum(s => s.Evaluations / s.Speed!.PerSecond)) : null;

    /// <summary>Operations of floating point in networks, when they are known of every one; autoencoders are not counted.</summary>
    public double? Flops => Steps.Any() && Steps.All(s => s.Flops is not null) ? Steps.Sum(s => s.Flops!.Value) : null;

    /// <summary>
    /// The time of <see cref="Flops"/> at 316e12 a second: 40 % of what an H200 reaches in half precision. No measurement, but the order
    /// of it is right, and other devices are in proportion.
    /// </summary>
    public TimeSpan? Yardstick => Flops is { } flops ? TimeSpan.FromSeconds(flops / YardstickFlops) : null;

    /// <summary>Evaluations a second, when <see cref="Time"/> is known and there are some.</summary>
    public double? Rate => Time is { Ticks: > 0 } time ? Evaluations / time.TotalSeconds : null;

    IEnumerable<StageEstimate> Steps => Stages.Where(s => s.Stage.Spec.HasSteps && s.Evaluations > 0);

    /// <summary>The estimate for a job as things stand.</summary>
    public static async Task<PlanEstimate> OfAsync(IRunHost host, RunJob job, PlanOutline outline, CancellationToken cancellationToken)
    {
        var plan = outline.Plan;
        // Nothing is known of the stages of an outline, whose keys are none.
        if (!outline.IsExact)
            return Of(plan, new Dictionary<string, RowSet>(), _ => false, _ => null, job.Spec.BatchSize);
        var overwrite = job.Spec.Overwrite;
        var stored = overwrite ? new Dictionary<string, RowSet>() : await host.StoredRowsAsync(plan, job.StoreRoot, cancellationToken);
        var speeds = plan.Stages.DistinctBy(s => StageEngine.Of(s.Spec))
            .ToDictionary(s => StageEngine.Of(s.Spec), s => host.SpeedOf(s.Spec, job.Spec, job.StoreRoot));
        var output = host.Output(job.Folder);
        var missing = plan.Runs.Where(
            run => overwrite || !WrittenRuns.IsWritten(plan, run, job.FolderOf(run, output), job.Spec.Format)).ToHashSet();
        return Of(plan, stored, run => !missing.Contains(run), stage => speeds[StageEngine.Of(stage)], job.Spec.BatchSize);
    }

    /// <param name="stored">Rows of each stage in the store.</param>
    /// <param name="isWritten">Runs whose folders are there.</param>
    /// <param name="speedOf">What is known of a stage's network.</param>
    /// <param name="batchSize">Rows of a forward pass; null for the most that a device may choose.</param>
    public static PlanEstimate Of(
        SweepPlan plan, IReadOnlyDictionary<string, RowSet> stored, Func<PlannedRun, bool> isWritten,
        Func<StageSpec, MeasuredSpeed?> speedOf, int? batchSize)
    {
        var stages = plan.Stages.Select(s => StageEstimate.Of(s, stored.GetValueOrDefault(s.Key, RowSet.Empty), speedOf(s.Spec))).ToList();
        return new(
            stages,
            stages.Sum(s => s.Bytes),
            // A folder whose stages are not complete is written anew, beside the old one's files.
            plan.Runs.Where(run => !isWritten(run) || stages.Any(s => s.Missing > 0 && Shows(run, s.Stage))).Sum(BytesOf),
            stages.Select(s => WorkingSpace.Of(s.Stage, s.Missing, batchSize)).DefaultIfEmpty(0).Max());
    }

    /// <summary>The bytes of a run folder's tensors.</summary>
    static long BytesOf(PlannedRun run) =>
        run.Tensors.Sum(t => run.Rows.Count * (t.Shape?.Bytes ?? sizeof(long)) * Math.Max(1, t.Steps.Length));

    static bool Shows(PlannedRun run, PlannedStage stage) => run.Tensors.Any(t => t.Rows is StageRows rows && rows.Key == stage.Key);
}

/// <summary>One stage's share.</summary>
/// <param name="Reused">Rows that the store holds.</param>
/// <param name="Evaluations">Network evaluations of the rest.</param>
/// <param name="Bytes">Of the rest, with what is kept of its steps.</param>
/// <param name="Speed">How fast its network was before; null when that is not known.</param>
sealed record StageEstimate(PlannedStage Stage, int Reused, long Evaluations, long Bytes, MeasuredSpeed? Speed)
{
    /// <summary>Operations of floating point of its evaluations; null when they are not known of its network.</summary>
    public double? Flops => NetworkWork.FlopsOf(Stage.Spec.Model) * Evaluations;

    /// <summary>Rows that are to be computed.</summary>
    public int Missing => Stage.Rows.Count - Reused;

    public static StageEstimate Of(PlannedStage stage, RowSet stored, MeasuredSpeed? speed)
    {
        var reused = stored.Intersect(stage.Rows).Count;
        var missing = (long)stage.Rows.Count - reused;
        return new(
            stage, reused, missing * stage.Spec.EvaluationsPerRow,
            checked(missing * (stage.Spec.ResultShape.Bytes + (stage.Keep.TensorsPerRow * stage.Spec.Model.RowBytes))), speed);
    }
}
