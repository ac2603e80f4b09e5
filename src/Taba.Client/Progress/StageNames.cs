using Taba.Grains.Stages;

namespace Taba.Client.Progress;

/// <summary>What stages are called in tables.</summary>
static class StageNames
{
    public static string Of(StageKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>A stage with what sets it apart: T and the intervention.</summary>
    public static string Of(StageSpec stage)
    {
        var intervention = stage switch
        {
            { Forward: { } forward } => $" forward K={forward.Before}",
            { Swap: { } swap } => $" {swap.Kind switch { Taba.Grains.Sweeps.InterventionKind.SwapEps => "swap eps", _ => "swap xt" }} K={swap.Before}",
            _ => "",
        };
        return $"{Of(stage.Kind)} T={stage.NumInferenceSteps}{intervention}";
    }
}
