using System.Text.Json;
using Taba.Client.Hosts;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Planning;

/// <summary>A plan as JSON, on one line.</summary>
static class PlanJson
{
    public static void Write(TextWriter output, PlanOutline outline, PlanEstimate estimate, string folder)
    {
        var plan = outline.Plan;
        var specs = plan.Stages.ToDictionary(s => s.Key, s => s.Spec);
        var names = StageNames.Of(plan);
        var sharing = PlanSharing.Of(plan);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            sweep = plan.Name,
            id = outline.IsExact ? plan.SweepId : null,
            folder,
            evaluations = estimate.Evaluations,
            evaluations_of_all_stages = plan.Evaluations,
            evaluations_of_runs_alone = sharing.Alone,
            evaluations_skipped_by_swaps = sharing.Swapped,
            store_bytes = estimate.StoreBytes,
            folder_bytes = estimate.FolderBytes,
            working_bytes = estimate.WorkingBytes,
            estimated_seconds = outline.IsExact ? estimate.Time?.TotalSeconds : null,
            flops = estimate.Flops,
            h200_seconds = estimate.Yardstick?.TotalSeconds,
            absent = outline.Absent.Select(a => new { name = a.Name, source = a.Source, bytes = a.Bytes }),
            stages = estimate.Stages.Select(s => Stage(s, names[s.Stage.Key], specs, outline.IsExact)),
            runs = plan.Runs.Select(r => new { name = r.Slug, tensors = r.Tensors.Select(t => t.Name) }),
        }));
    }

    static object Stage(StageEstimate s, string name, IReadOnlyDictionary<string, StageSpec> specs, bool isExact)
    {
        var (before, seed) = StageNames.Numbers(s.Stage.Spec, specs);
        var precision = s.Stage.Spec.Precision;
        return new
        {
            key = isExact ? s.Stage.Key : null,
            stage = StageNames.Of(s.Stage.Spec.Kind),
            name,
            num_inference_steps = s.Stage.Spec.HasSteps ? s.Stage.Spec.NumInferenceSteps : (int?)null,
            before,
            seed,
            precision = new { network = precision.Network.Name(), state = precision.State.Name(), noise = precision.Noise.Name() },
            samples = s.Stage.Rows.Count,
            reused = isExact ? s.Reused : (int?)null,
            evaluations = s.Evaluations,
            bytes = s.Bytes,
            evaluations_per_second = s.Speed?.PerSecond,
            measured_evaluations = s.Speed?.Evaluations,
        };
    }
}
