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
        if (spec.Analyses.FirstOrDefault(a => a.OfSteps) is { } ofSteps
            && (spec.Internal.Kinds == TensorKinds.None || spec.Internal.Every > 1))
        {
            throw new BadInputException(
                $"metrics has {ofSteps.Name}, which is measured of every step: set internal to true, or to a selection with steps: all.");
        }
        CheckInversionSteps(spec);
        ConditionRules.Check(spec);
    }

    /// <summary>Refuses numbers of steps that a model cannot run, and a K beyond the steps of inversion.</summary>
    public static void CheckSteps(SweepSpec spec, ModelFacts model, SweepCell cell)
    {
        var inversionSteps = cell.StepsOfInversion;
        foreach (var steps in new[] { cell.NumInferenceSteps, inversionSteps }.Distinct())
        {
            if (model.WhyNot(steps) is { } why)
                throw new BadInputException(why);
        }
        foreach (var intervention in spec.Interventions)
        {
            var (most, name) = intervention.Kind == InterventionKind.Forward
                ? (model.MaxForwardBefore(inversionSteps), "forward_before_t")
                : (inversionSteps, "swap_before_t");
            if (intervention.Before < 0 || intervention.Before > most)
                throw new BadInputException(
                    $"{name} is {intervention.Before}: with {inversionSteps} inference steps of {model.Slug} K must be between 0 and "
                    + $"{most}.");
        }
    }

    static void CheckInversionSteps(SweepSpec spec)
    {
        if (spec.InversionSteps.Count == 0)
            return;
        if (!spec.WithInversion)
            throw new BadInputException("inversion_steps is the T of inversion: it needs the invert stage.");
        if (spec.ImagesPath is { } images)
            throw new BadInputException(
                $"{images} gives the samples, so that num_inference_steps is the T of inversion already: give "
                + $"[{string.Join(", ", spec.InversionSteps)}] there, and leave inversion_steps out.");
        var swap = spec.Interventions.FirstOrDefault(i => i is { Swap: not null, Before: > 0, SwapPath: null });
        if (swap is null)
            return;
        foreach (var sampling in spec.NumInferenceSteps)
        {
            foreach (var inversion in spec.InversionSteps.Where(steps => steps != sampling))
                throw new BadInputException(
                    $"{swap.Slug} gives steps of inversion what the same steps of sampling used, so that both need one T, and here "
                    + $"inversion_steps is {inversion} and num_inference_steps {sampling}: leave inversion_steps or the swaps out.");
        }
    }
}
