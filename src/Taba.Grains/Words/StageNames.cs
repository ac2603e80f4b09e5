using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>The names of stages in tables.</summary>
public static class StageNames
{
    public static string Of(StageKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>
    /// Every stage of a plan with what sets it apart from the others: T, guidance, the intervention before it, and the seed and the
    /// weights where there are several.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Of(SweepPlan plan) => Of(plan.Stages.ToDictionary(s => s.Key, s => s.Spec));

    /// <inheritdoc cref="Of(SweepPlan)"/>
    /// <param name="specs">Stages by key; those that one comes from need not be among them.</param>
    public static IReadOnlyDictionary<string, string> Of(IReadOnlyDictionary<string, StageSpec> specs)
    {
        var severalSeeds = specs.Values.Select(Seed).Where(seed => seed is not null).Distinct().Count() > 1;
        var severalWeights = specs.Values.Where(s => s.HasSteps).GroupBy(s => s.Model.Path)
            .Any(model => model.Select(s => s.Model.WeightsPath).Distinct().Count() > 1);
        return specs.ToDictionary(s => s.Key, s => Name(s.Value));

        string Name(StageSpec stage)
        {
            if (!stage.HasSteps)
            {
                var kind = $"{Of(stage.Kind)}{Networks(stage)}";
                return specs.TryGetValue(stage.ParentKey ?? "", out var source) ? $"{kind} {Name(source)}"
                    : stage.Measure is { KeepsFeatures: true, Tensors: [var pictures] } ? $"{kind} {pictures.Role}" : kind;
            }
            var intervention = Ancestry(stage, specs).Select(Intervention).FirstOrDefault(text => text is not null);
            var seed = severalSeeds ? Ancestry(stage, specs).Select(Seed).FirstOrDefault(s => s is not null) : null;
            var guidance = stage.Guidance > 1 ? FormattableString.Invariant($" g={stage.Guidance}") : "";
            var weights = severalWeights ? $" of {Path.GetFileName(stage.Model.WeightsPath)}" : "";
            var first = Ancestry(stage, specs).Last(s => s.HasSteps).NumInferenceSteps;
            var sampled = first == stage.NumInferenceSteps ? "" : $" (sampled T={first})";
            return $"{Of(stage.Kind)} T={stage.NumInferenceSteps}{sampled}{guidance}{intervention}"
                + $"{(seed is null ? "" : $" seed {seed}")}{weights}";
        }
    }

    /// <summary>What sets a stage apart, as numbers: K of the intervention at it or before it, and the seed of its noise.</summary>
    /// <param name="specs">The plan's stages by key.</param>
    public static (int? Before, long? Seed) Numbers(StageSpec stage, IReadOnlyDictionary<string, StageSpec> specs)
    {
        var ancestry = Ancestry(stage, specs).ToList();
        return (
            ancestry.Select(s => s.Forward?.Before ?? s.Swap?.Before).FirstOrDefault(before => before is not null),
            ancestry.Select(Seed).FirstOrDefault(seed => seed is not null));
    }

    static IEnumerable<StageSpec> Ancestry(StageSpec? stage, IReadOnlyDictionary<string, StageSpec> specs)
    {
        for (; stage is not null; stage = stage.ParentKey is { } parent ? specs.GetValueOrDefault(parent) : null)
            yield return stage;
    }

    static string Networks(StageSpec stage) => stage.Measure is { Features: { IsDefaultOrEmpty: false } features }
        ? $" by {string.Join(" and ", features.Select(f => f.Network))}"
        : "";

    static long? Seed(StageSpec stage) => (stage.Input as NoiseRows)?.Seed;

    static string? Intervention(StageSpec stage) => stage switch
    {
        { Forward: { } forward } => $" forward K={forward.Before}",
        { Swap: { Kind: SwapKind.Eps } swap } => $" swap eps K={swap.Before}",
        { Swap: { } swap } => $" swap xt K={swap.Before}",
        _ => null,
    };
}
