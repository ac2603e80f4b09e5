using System.Collections.Immutable;
using Taba.Diffusion.Schedules;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>The stages of a run, as its folder describes them.</summary>
static class RunStages
{
    /// <summary>The stages that a run shows, parents first: those of its tensors, and those they depend on.</summary>
    public static ImmutableArray<PlannedStage> Of(SweepPlan plan, PlannedRun run)
    {
        var keys = run.Tensors.Select(t => t.Rows).OfType<StageRows>().Select(r => r.Key).ToHashSet();
        return [.. plan.Stages.Where(s => keys.Contains(s.Key))];
    }

    /// <summary>The name of a stage within a run. A run decodes twice: its samples and its reconstructions.</summary>
    public static string Kind(PlannedRun run, PlannedStage stage)
    {
        var decoded = run.Tensors.FirstOrDefault(
            t => t.DecodedFrom is not null && t.Rows is StageRows rows && rows.Key == stage.Key)?.DecodedFrom;
        var kind = stage.Spec.Kind.ToString().ToLowerInvariant();
        return decoded is null ? kind : $"{kind} {decoded}";
    }

    /// <summary>Says of each stage what its numbers depend on, and which published parts a run takes of it.</summary>
    public static async Task<ImmutableArray<RunStage>> DescribeAsync(
        TensorStore store, PlannedRun run, ImmutableArray<PlannedStage> stages, SubstitutedRows substitutes,
        CancellationToken cancellationToken)
    {
        var described = ImmutableArray.CreateBuilder<RunStage>();
        foreach (var stage in stages)
        {
            var manifests = (await store.ListAsync(stage.Key, run.Rows, cancellationToken)).ToList();
            foreach (var standIn in substitutes.Of(stage.Key))
                manifests.AddRange((await store.ListAsync(standIn.SubstituteKey, run.Rows, cancellationToken)).Where(
                    m => !standIn.Rows.Intersect(m.Rows).Intersect(run.Rows).IsEmpty));
            described.Add(new(
                Kind(run, stage), stage.Key,
                StageKey.Fields(stage.Spec).ToImmutableSortedDictionary(f => f.Name, f => f.Value),
                Timesteps(stage.Spec),
                manifests.Sum(m => m.Evaluations),
                [.. manifests.Select(m => new RunPart(m.RowStart, m.RowEnd, $"{m.Epoch}-{m.Attempt:N}",
                    m.Objects.ToImmutableSortedDictionary(o => o.Name, o => o.Sha256)))])
            {
                Devices = manifests.GroupBy(m => m.Device).ToImmutableSortedDictionary(
                    d => d.Key, d => d.Sum(m => m.Evaluations), StringComparer.Ordinal),
                Seconds = manifests.Aggregate((double?)0, static (sum, m) => sum + m.Seconds),
            });
        }
        return described.ToImmutable();
    }

    static ImmutableArray<float> Timesteps(StageSpec spec)
    {
        if (!spec.HasSteps)
            return [];
        var schedule = ModelDefinitions.Schedule(ModelDefinitions.Of(spec.Model), spec);
        var direction = spec.Kind == StageKind.Invert ? Direction.Inversion : Direction.Sampling;
        return [.. Enumerable.Range(0, spec.NumInferenceSteps).Select(k => schedule.Step(direction, k).Timestep)];
    }
}
