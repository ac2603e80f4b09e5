using Taba.Grains.Sweeps;

namespace Taba.Client.Planning;

/// <summary>What can be run and is likely not meant.</summary>
static class PlanWarnings
{
    public static IEnumerable<string> Of(SweepPlan plan, SweepSpec spec)
    {
        var specs = plan.Stages.ToDictionary(s => s.Key, s => s.Spec);
        var same = specs.Values.Where(s => s.Forward is not null && s.Kind == StageKind.Invert)
            .Where(s => Drawn(s, specs) is { } noise ? noise.Seed == s.Forward!.Noise.Seed : spec.Seeds.Contains(s.Forward!.Noise.Seed))
            .Select(s => (s.Forward!.Noise.Seed, IsKnown: Drawn(s, specs) is not null)).Distinct();
        foreach (var (seed, isKnown) in same)
        {
            yield return isKnown
                ? $"Warning: forward_seed is {seed}, the seed of the samples: forward diffusion adds to them the very noise that they were "
                    + "made from, and the latents are that noise again. Give forward_seed another value."
                : $"Warning: forward_seed is {seed}, as is seed: if the images were sampled with seed {seed}, forward diffusion adds the "
                    + "very noise that they were made from. Give --forward_seed another value.";
        }
    }

    /// <summary>The noise from which the images of a stage were sampled in this plan; null when they are given.</summary>
    static NoiseRows? Drawn(StageSpec stage, Dictionary<string, StageSpec> specs)
    {
        for (StageSpec? s = stage; s is not null; s = s.ParentKey is { } parent ? specs.GetValueOrDefault(parent) : null)
        {
            if (s.Input is NoiseRows noise)
                return noise;
        }
        return null;
    }
}
