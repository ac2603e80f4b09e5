using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Silos;

namespace Taba.Grains.Tests.Fakes;

/// <summary>No silo has said what it is.</summary>
sealed class FakeSilos : ISiloDirectory
{
    public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => new([]);
}
