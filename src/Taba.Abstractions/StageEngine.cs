namespace Taba;

/// <summary>Names the engines of a silo.</summary>
public static class StageEngine
{
    /// <summary>The engine of a stage: its model at one size, the precisions of network and state, and whether shapes are fixed.</summary>
    public static string Of(StageSpec spec) =>
        $"{spec.Model.Digest}-{spec.Model.Shape}-{spec.Precision.Network.Name()}-{spec.Precision.State.Name()}"
        + (spec.Determinism is { } determinism ? $"-deterministic{determinism.BatchRows}" : "");
}
