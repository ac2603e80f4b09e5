using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>
/// Derives the stage that computes again rows that gave NaN or Inf in half precision. It differs only in the precision of network and
/// state, which is float32. Noise keeps the precision it is drawn in, so that a row begins with the same numbers. The key differs, and with
/// it the objects.
/// </summary>
public static class HigherPrecision
{
    const Dtype Highest = Dtype.Float32;

    /// <summary>The stage in float32; null when it is there already, and NaN is no matter of precision.</summary>
    public static StageSpec? Of(StageSpec spec) =>
        IsHighest(spec) ? null : spec with { Precision = spec.Precision with { Network = Highest, State = Highest } };

    /// <summary>The difference between a stage and its retry.</summary>
    public static PrecisionRetry Change(StageSpec from, StageSpec to) =>
        new(from.Precision.Network, from.Precision.State, to.Precision.Network, to.Precision.State);

    static bool IsHighest(StageSpec spec) => spec.Precision is { Network: Highest, State: Highest };
}
