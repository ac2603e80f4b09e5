using System.Collections.Immutable;
using Orleans.Concurrency;
using Taba.Grains.Ports;

namespace Taba.Grains.Silos;

[StatelessWorker]
sealed class SilosGrain(ISiloDirectory directory) : Grain, ISilosGrain
{
    public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => directory.GetAsync();
}
