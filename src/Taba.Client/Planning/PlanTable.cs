using System.Text.Json;
using Taba.Grains.Words;
using Taba.Grains.Sweeps;

namespace Taba.Client.Planning;

/// <summary>A plan as a table, or as JSON.</summary>
static class PlanTable
{
    public static void Write(TextWriter output, SweepPlan plan, PlanEstimate estimate, string folder)
    {
        output.WriteLine($"sweep {plan.Name} ({plan.SweepId}): {plan.Runs.Length} runs, {plan.Stages.Length} stages, into {folder}");
        output.WriteLine();
        var names = StageNames.Of(plan);
        string[][] rows =
        [
            ["stage", "family", "precision", "samples", "reused", "evaluations", "bytes", "key"],
            .. estimate.Stages.Select(s => new[]
            {
                names[s.Stage.Key], s.Stage.Spec.Model.Family,
                PrecisionOf(s), $"{s.Stage.Rows.Count}", $"{s.Reused}", Quantities.Count(s.Evaluations), Quantities.Bytes(s.Bytes),
                s.Stage.Key[..12],
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        foreach (var row in rows)
            output.WriteLine(string.Join(
                "  ", row.Select((cell, c) => c is >= 3 and <= 6 ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]))).TrimEnd());
        output.WriteLine();
        output.WriteLine("runs:");
        foreach (var run in plan.Runs)
            output.WriteLine($"  {run.Slug}");
        var rest = estimate.Evaluations == plan.Evaluations ? "" : $" (of {Quantities.Count(plan.Evaluations)}; the rest is in the store)";
        output.WriteLine($"network evaluations: {Quantities.Count(estimate.Evaluations)}{rest}");
        output.WriteLine(
            $"bytes to be written: {Quantities.Bytes(estimate.StoreBytes)} store, {Quantities.Bytes(estimate.FolderBytes)} run folders");
        output.WriteLine($"and at most {Quantities.Bytes(estimate.WorkingBytes)} of checkpoints and scratch files while it runs");
        output.WriteLine($"estimated time: {Time(estimate)}");
    }

    /// <summary>The time and what it rests on, or what is missing for it.</summary>
    static string Time(PlanEstimate estimate)
    {
        var needed = estimate.Stages.Where(s => s.Evaluations > 0 && s.Stage.Spec.HasSteps).DistinctBy(
            s => StageEngine.Of(s.Stage.Spec)).ToList();
        if (needed.Count == 0)
            return "nothing to compute";
        if (estimate.Time is not { } time)
        {
            var unknown = needed.Where(s => s.Speed is null).Select(s => ModelOf(s.Stage)).Distinct();
            return $"unknown (no run in this store measured {string.Join(", ", unknown)} on this machine and device)";
        }
        var basis = needed.Select(
            s =>
            $"{ModelOf(s.Stage)} made {Quantities.Rate(s.Speed!.PerSecond)} at batch size {s.Speed.BatchSize} over "
            + $"{Quantities.Count(s.Speed.Evaluations)} evaluations");
        var decoding = estimate.Stages.Any(s => s.Evaluations > 0 && !s.Stage.Spec.HasSteps) ? ", decoding not counted" : "";
        return $"{Quantities.Duration(time)} of computing{decoding} (on this machine {string.Join("; ", basis)})";
    }

    static string ModelOf(PlannedStage stage)
    {
        var path = stage.Spec.Model.Path;
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path);
        return $"{Path.GetFileName(folder)} in {stage.Spec.Precision.Network.Name()}";
    }

    public static void WriteJson(TextWriter output, SweepPlan plan, PlanEstimate estimate, string folder) =>
        output.WriteLine(JsonSerializer.Serialize(new
        {
            sweep = plan.Name,
            id = plan.SweepId,
            folder,
            evaluations = estimate.Evaluations,
            evaluations_of_all_stages = plan.Evaluations,
            store_bytes = estimate.StoreBytes,
            folder_bytes = estimate.FolderBytes,
            working_bytes = estimate.WorkingBytes,
            estimated_seconds = estimate.Time?.TotalSeconds,
            stages = estimate.Stages.Select(s => new
            {
                key = s.Stage.Key,
                stage = StageNames.Of(s.Stage.Spec.Kind),
                num_inference_steps = s.Stage.Spec.NumInferenceSteps,
                precision = s.Stage.Spec.Precision,
                samples = s.Stage.Rows.Count,
                reused = s.Reused,
                evaluations = s.Evaluations,
                bytes = s.Bytes,
                evaluations_per_second = s.Speed?.PerSecond,
                measured_evaluations = s.Speed?.Evaluations,
            }),
            runs = plan.Runs.Select(r => new { name = r.Slug, tensors = r.Tensors.Select(t => t.Name) }),
        }));

    static string PrecisionOf(StageEstimate s)
    {
        var p = s.Stage.Spec.Precision;
        return p.Network == p.State && p.State == p.Noise ? p.Network.Name() : $"{p.Network.Name()}/{p.State.Name()}/{p.Noise.Name()}";
    }
}
