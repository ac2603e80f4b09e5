using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Silos;

namespace Taba.Grains.Tests.Fakes;

/// <summary>The silos that a test says there are; none at first. A silo's address is its name.</summary>
sealed class FakeSilos : ISiloDirectory
{
    ImmutableArray<SiloInfo> _silos = [];

    public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => new(_silos);

    public void Are(params IEnumerable<string> workers) =>
        _silos = [.. workers.Select(w => new SiloInfo($"silo-{w}", w, SiloRole.Worker, "cpu", 0, 16))];

    public void AreAt(IEnumerable<(string Name, string Worker)> silos) =>
        _silos = [.. silos.Select(s => new SiloInfo(s.Name, s.Worker, SiloRole.Worker, "cpu", 0, 16))];

    public void CoordinatorComes(string worker) => _silos = _silos.Add(new($"silo-{worker}", worker, SiloRole.Coordinator, "cpu", 0, 16));
}
