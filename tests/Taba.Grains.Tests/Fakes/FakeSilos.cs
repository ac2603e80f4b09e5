using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Silos;

namespace Taba.Grains.Tests.Fakes;

/// <summary>The silos that a test says there are; none at first. A silo's address is its name.</summary>
sealed class FakeSilos : ISiloDirectory
{
    ImmutableArray<SiloInfo> _silos = [];

    public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => new(_silos);

    public SiloInfo? Find(string worker) => _silos.FirstOrDefault(s => s.Worker == worker);

    public void Are(params IEnumerable<string> workers) => AreAt(workers.Select(w => ($"silo-{w}", w)));

    public void AreAt(IEnumerable<(string Name, string Worker)> silos) => _silos = [.. silos.Select(s => Silo(s.Name, s.Worker))];

    /// <summary>A silo of another version of Taba; of one that does not say which when null.</summary>
    public void Runs(string worker, ProgramVersion? version) =>
        _silos = [.. _silos.Select(s => s.Worker == worker ? s with { Version = version } : s)];

    public void CoordinatorComes(string worker) =>
        _silos = _silos.Add(Silo($"silo-{worker}", worker) with { Role = SiloRole.Coordinator });

    static SiloInfo Silo(string name, string worker) => new(name, worker, SiloRole.Worker, "cpu", 0, 16) { Version = ProgramVersion.Own };
}
