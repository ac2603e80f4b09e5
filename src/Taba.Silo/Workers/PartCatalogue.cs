using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Storage;

namespace Taba.Silo.Workers;

/// <summary>Adds up a stage's manifests for its grain.</summary>
sealed class PartCatalogue(ITensorStore store) : IPartCatalogue
{
    public async Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, CancellationToken cancellationToken) =>
        PublishedRows.Sum(await store.ListAsync(stageKey, cancellationToken));
}
