using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Storage.Manifests;

namespace Taba.Silo.Parts;

/// <summary>The tensor store as grains see it.</summary>
sealed class GrainStorePorts(TensorStore store) : IPartCatalogue, IStoreUpkeep
{
    public async Task<ImmutableArray<KeptRows>> GetPublishedAsync(
        string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        PublishedRows.Sum(await store.ListAsync(stageKey, rows, cancellationToken));

    public Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) =>
        store.HasStageAsync(stageKey, cancellationToken);

    public Task<int> SweepOrphansAsync(Func<string, Task<IReadOnlySet<Guid>>> inUse, CancellationToken cancellationToken) =>
        store.SweepAsync(inUse, cancellationToken);
}
