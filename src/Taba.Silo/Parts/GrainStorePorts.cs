using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Storage.Checkpoints;
using Taba.Storage.Manifests;

namespace Taba.Silo.Parts;

/// <summary>The tensor store as grains see it.</summary>
sealed class GrainStorePorts(TensorStore store, PartCheckpoints checkpoints) : IPartCatalogue, IStoreUpkeep
{
    public async Task<ImmutableArray<KeptRows>> GetPublishedAsync(
        string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        PublishedRows.Sum(await store.ListAsync(stageKey, rows, cancellationToken));

    public Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) =>
        store.HasStageAsync(stageKey, cancellationToken);

    public async Task<ImmutableArray<int>> GetReachedAsync(PartAttempt attempt, RowRange rows, CancellationToken cancellationToken)
    {
        var steps = await checkpoints.ReadStepsAsync(attempt, cancellationToken);
        return [.. Enumerable.Range(rows.Start, rows.Count).Select(row => steps.GetValueOrDefault(row))];
    }

    public Task<int> SweepOrphansAsync(Func<string, Task<IReadOnlySet<Guid>>> inUse, CancellationToken cancellationToken) =>
        store.SweepAsync(inUse, cancellationToken);
}
