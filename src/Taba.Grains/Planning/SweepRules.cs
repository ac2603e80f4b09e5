using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>Refuses what a sweep may not ask for. Each refusal says what, where, the value, and what would do.</summary>
static class SweepRules
{
    const int MaxSamples = 100_000_000;

    public static void Check(SweepSpec spec)
    {
        if (string.IsNullOrWhiteSpace(spec.Name) || spec.Name.AsSpan().ContainsAny('/', '\\', '\0') || spec.Name.StartsWith('.'))
            throw new BadInputException(
                $"The sweep's name '{spec.Name}' cannot be the name of a folder: use letters, digits, '-', '_' and '.'.");
        if (spec.Models.Count == 0)
            throw new BadInputException("No model is given: set model to a name such as demo, or to the path of a model.json.");
        if (spec.Samples is < 1 or > MaxSamples)
            throw new BadInputException($"samples is {spec.Samples}: it must be between 1 and {MaxSamples}.");
        if (spec.NumInferenceSteps.Count == 0)
            throw new BadInputException("num_inference_steps is empty: give at least one number of steps.");
        if (spec.GuidanceScales.Count == 0)
            throw new BadInputException("guidance_scale is empty: give at least one scale; 1 is none.");
        if (spec.Seeds.Count == 0)
            throw new BadInputException("seed is empty: give at least one seed.");
        if (spec.WithReconstruction && !spec.WithInversion)
            throw new BadInputException(
                "Reconstruction starts from inverted latents: with_reconstruction needs with_inversion (stages: [sample, invert, "
                + "reconstruct]).");
        if (spec.Interventions.Any(i => i.Before > 0) && !spec.WithInversion)
            throw new BadInputException("Swap and forward replace steps of the inversion: interventions need the invert stage.");
        if (!spec.WithPlainRun && spec.Interventions.Count == 0)
            throw new BadInputException($"Sweep {spec.Name} has no run: give an intervention, or ask for the plain run.");
        if (spec.BatchSize is < 1 or > 65536)
            throw new BadInputException($"batch_size is {spec.BatchSize}: it must be between 1 and 65536, or auto.");
        if (spec.NParts < 1)
            throw new BadInputException($"n_parts is {spec.NParts}: it must be at least 1.");
        if (spec.PartIdx < 0 || spec.PartIdx >= spec.NParts)
            throw new BadInputException(
                $"part_idx is {spec.PartIdx}: with n_parts {spec.NParts} it must be between 0 and {spec.NParts - 1}.");
        if (spec.Internal.Every < 1)
            throw new BadInputException($"internal keeps every {spec.Internal.Every} steps: it must be at least 1.");
        ConditionRules.Check(spec);
    }

    public static void CheckSteps(SweepSpec spec, ModelFacts model, int numInferenceSteps)
    {
        if (model.WhyNot(numInferenceSteps) is { } why)
            throw new BadInputException(why);
        foreach (var intervention in spec.Interventions)
        {
            var (most, name) = intervention.Kind == InterventionKind.Forward
                ? (model.MaxForwardBefore(numInferenceSteps), "forward_before_t")
                : (numInferenceSteps, "swap_before_t");
            if (intervention.Before < 0 || intervention.Before > most)
                throw new BadInputException(
                    $"{name} is {intervention.Before}: with {numInferenceSteps} inference steps of {model.Slug} K must be between 0 and "
                    + $"{most}.");
        }
    }
}
