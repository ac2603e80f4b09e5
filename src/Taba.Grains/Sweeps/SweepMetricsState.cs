using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>The numbers of a sweep's run folders. Apart from its state, which is written often.</summary>
[GenerateSerializer, Alias("taba.SweepMetricsState")]
public sealed record SweepMetricsState
{
    [Id(0)] public int Schema { get; init; } = 1;

    [Id(1)] public ImmutableArray<RunNumbers> Runs { get => field.IsDefault ? [] : field; init; } = [];
}
