using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

/// <summary>The tensor store as grains see it.</summary>
sealed class GrainStorePorts(ITensorStore store) : IPartCatalogue, IStoreUpkeep
{
    public async Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, CancellationToken cancellationToken) =>
        PublishedRows.Sum(await store.ListAsync(stageKey, cancellationToken));

    public async Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken)
    {
        var deleted = await store.SweepOrphansAsync(writtenBefore, cancellationToken);
        SiloInstruments.OrphansDeleted.Add(deleted);
        return deleted;
    }
}
