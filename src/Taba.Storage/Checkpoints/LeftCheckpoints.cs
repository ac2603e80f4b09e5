using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Storage.Checkpoints;

/// <summary>What attempts of an earlier process left. Only for a store in which no attempt lives.</summary>
public static class LeftCheckpoints
{
    const int MostBytes = 1 << 30;

    /// <summary>
    /// Deletes the checkpoints of rows that are published, and scratch files without a checkpoint: a process that is killed just after it
    /// published does not come to that. The others stay for the attempts that come.
    /// </summary>
    /// <exception cref="StoreException">The place failed.</exception>
    public static async Task ClearAsync(TensorStore store, CancellationToken cancellationToken)
    {
        await foreach (var key in store.StageKeysAsync(cancellationToken))
        {
            foreach (var attempt in await store.CheckpointsAsync(key, cancellationToken))
            {
                var file = await store.Objects.ReadAsync(StoreNames.Checkpoint(attempt), MostBytes, cancellationToken);
                var rows = CheckpointFile.Rows(file);
                var cell = CellGrid.RowsOf(CellGrid.StartOf(attempt.RowStart));
                // By this attempt or a later one: what an earlier one published may be what this one adds kept tensors to.
                var published = (await store.ListAsync(key, cell, cancellationToken)).Where(m => m.Epoch >= attempt.Epoch)
                    .Aggregate(RowSet.Empty, (all, m) => all.Add(m.Rows));
                if (rows.Subtract(published).IsEmpty)
                    await store.Objects.DeleteAsync(StoreNames.Checkpoint(attempt), cancellationToken);
            }
        }
        await store.ClearScratchAsync(cancellationToken);
    }
}
