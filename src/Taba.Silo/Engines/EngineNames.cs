using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>What distinguishes the engines of a silo.</summary>
public static class EngineNames
{
    /// <summary>The engine of a stage: its model, the network's precision, and whether shapes are fixed.</summary>
    public static string Of(StageSpec spec) =>
        $"{spec.Model.Digest}-{spec.Precision.Network}{(spec.Determinism is { } d ? $"-deterministic{d.BatchRows}" : "")}";
}
