using Taba.Grains.Stages;
using Taba.Storage.Checkpoints;
using Taba.Storage.Manifests;

namespace Taba.Silo.Parts;

/// <summary>What attempts leave behind when their rows are published or given up.</summary>
static class AttemptRemains
{
    /// <summary>
    /// Deletes what this attempt and those before it leave behind: scratch files, objects that no cell names, checkpoints. Of an earlier
    /// attempt that had other rows too, the checkpoint stays.
    /// </summary>
    /// <param name="done">Rows that nobody computes any more.</param>
    public static async Task ClearAsync(TensorStore store, PartCheckpoints checkpoints, PartLease lease, RowSet done)
    {
        if (done.Contains(lease.Rows))
            checkpoints.Forget(lease.Attempt);
        else
            checkpoints.Leave(lease.Attempt);
        await store.DeleteAttemptAsync(lease.Attempt, CancellationToken.None);
        foreach (var earlier in lease.EarlierAttempts)
        {
            if (done.Contains(earlier.Rows))
                checkpoints.Forget(earlier.Attempt);
            await store.DeleteAttemptAsync(earlier.Attempt, CancellationToken.None);
        }
    }
}
