using System.Collections.Immutable;
using Orleans;

namespace Taba.Testing.Stores;

/// <summary>The state of a grain of these tests.</summary>
[GenerateSerializer, Immutable, Alias("taba.testing.StoredExample")]
public sealed record StoredExample
{
    [Id(0)]
    public int Epoch { get; init; }

    [Id(1)]
    public ImmutableArray<KeptRows> Published { get; init; } = [];
}
