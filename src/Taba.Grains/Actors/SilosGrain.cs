using System.Collections.Immutable;
using Orleans.Concurrency;
using Taba.Grains.Ports;
using Taba.Grains.Silos;

namespace Taba.Grains.Actors;

[StatelessWorker]
sealed class SilosGrain(ISiloDirectory directory) : Grain, ISilosGrain
{
    public ValueTask<ImmutableArray<SiloInfo>> GetAsync() => directory.GetAsync();
}
