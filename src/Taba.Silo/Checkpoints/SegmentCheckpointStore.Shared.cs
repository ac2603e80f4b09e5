using System.Collections.Immutable;
using Azure.Storage.Blobs;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>A store that several silos use: each writes an area of its own and reads what others left.</summary>
public sealed partial class SegmentCheckpointStore
{
    readonly ISegmentPlace? _place;
    readonly LeftCheckpoints? _left;
    readonly SemaphoreSlim _leftGate = new(1, 1);
    readonly ManualResetEventSlim _closing = new();
    string _worker = "";

    /// <summary>
    /// The store failed and the writer tries again (<see cref="CheckpointOptions.RetryAfter"/>) until it works: meanwhile samples wait at
    /// the end of their segments. Raised on the writer's thread for each try that failed. Only in a shared store.
    /// </summary>
    public event Action<Exception>? Stalled;

    /// <summary>Checkpoints in a folder that several silos use: <c>checkpoints/WORKER/</c>.</summary>
    /// <param name="storeRoot">The store's folder.</param>
    /// <param name="worker">This worker as leases name it; another process has another name.</param>
    /// <param name="options">Sizes; the defaults when null.</param>
    /// <param name="time">For names and ages of files; the system's clock when null.</param>
    /// <exception cref="StoreException">The folder cannot be read.</exception>
    public static SegmentCheckpointStore Shared(
        string storeRoot, string worker, CheckpointOptions? options = null, TimeProvider? time = null) =>
        Shared(new FolderSegmentPlace(FolderOf(storeRoot)), worker, options, time);

    /// <summary>Checkpoints in a container that several silos use: <c>checkpoints/WORKER/</c>.</summary>
    /// <param name="container">The container; it exists, and may be that of the tensors.</param>
    /// <param name="worker">This worker as leases name it; another process has another name.</param>
    /// <param name="options">Sizes; the defaults when null.</param>
    /// <param name="time">For names and ages of segments; the system's clock when null.</param>
    /// <exception cref="StoreException">The account does not answer, or refuses.</exception>
    public static SegmentCheckpointStore Shared(
        BlobContainerClient container, string worker, CheckpointOptions? options = null, TimeProvider? time = null) =>
        Shared(new BlobSegmentPlace(container), worker, options, time);

    static SegmentCheckpointStore Shared(ISegmentPlace place, string worker, CheckpointOptions? options, TimeProvider? time) =>
        new(place.Of(worker), null, place, options ?? new(), time ?? TimeProvider.System) { _worker = worker };

    /// <summary>
    /// Copies the newest that earlier workers left of these rows into this worker's own segments, record by record, so that the
    /// next one needs only these. What cannot be read is passed over: it only would have saved work.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be read at all.</exception>
    public async ValueTask AdoptAsync(
        string stageKey, RowRange rows, ImmutableArray<string> earlierWorkers, CancellationToken cancellationToken)
    {
        var others = earlierWorkers.IsDefault ? [] : earlierWorkers.Remove(_worker).Distinct().ToList();
        if (_left is null || others.Count == 0)
            return;
        await _leftGate.WaitAsync(cancellationToken);
        try
        {
            var left = await Task.Run(() => Read(() => others.Select(_left.Of).ToList()), cancellationToken);
            for (var sample = rows.Start; sample < rows.End; sample++)
            {
                var records = await Task.Run(() => Read(() => NewestOf(left, stageKey, sample)), cancellationToken);
                for (var i = 0; i < records.Count; i++)
                    await PutAsync(records[i], startsAnew: i == 0, cancellationToken);
            }
        }
        finally
        {
            _leftGate.Release();
        }
    }

    /// <summary>
    /// Deletes what workers that are gone left and nobody needs: rows that are published, stages that were removed, and what
    /// is older than <see cref="CheckpointOptions.KeepLeftFor"/>.
    /// </summary>
    /// <param name="store">Says what is published.</param>
    /// <param name="isAlive">Whether a worker may still write. Ask only when membership is known.</param>
    /// <returns>Segments deleted.</returns>
    public async Task<int> ClearLeftAsync(ITensorStore store, Func<string, bool> isAlive, CancellationToken cancellationToken)
    {
        if (_left is null)
            return 0;
        var deleted = 0;
        await _leftGate.WaitAsync(cancellationToken);
        try
        {
            foreach (var name in await Task.Run(() => Read(_place!.Workers), cancellationToken))
            {
                if (name == _worker || isAlive(name))
                    continue;
                var worker = await Task.Run(() => Read(() => _left.Of(name)), cancellationToken);
                foreach (var (stageKey, rows) in await PublishedAsync(worker.Index, store, cancellationToken))
                    worker.Index.Forget(stageKey, rows, () => { });
                deleted += await Task.Run(() => Read(() => worker.Clear(_time.GetUtcNow() - _options.KeepLeftFor)), cancellationToken);
                if (worker.IsEmpty)
                    _left.Drop(name);
            }
        }
        finally
        {
            _leftGate.Release();
        }
        return deleted;
    }

    /// <summary>The records to go on with: of the others that are further than this worker, the furthest that can be read.</summary>
    List<CheckpointRecord> NewestOf(List<LeftCheckpoints.Worker> left, string stageKey, int sample)
    {
        var own = _index.NextStep(stageKey, sample) ?? -1;
        var further = left.Select(w => (Worker: w, Step: w.Index.NextStep(stageKey, sample) ?? -1)).Where(w => w.Step > own);
        foreach (var (worker, _) in further.OrderByDescending(w => w.Step))
        {
            var records = worker.Read(stageKey, sample);
            if (records.Count > 0 && records[^1].NextStep > own)
                return records;
        }
        return [];
    }

    /// <summary>
    /// Of the samples that an index holds, those whose result is published with what was kept for it, and those of stages that are gone.
    /// Records of a row whose result is published while something else is still to be kept of it are not among them.
    /// </summary>
    static async Task<List<(string StageKey, RowRange Rows)>> PublishedAsync(
        CheckpointIndex index, ITensorStore store, CancellationToken cancellationToken)
    {
        var published = new List<(string StageKey, RowRange Rows)>();
        foreach (var (stageKey, samples) in index.Held())
        {
            if (!await store.HasStageAsync(stageKey, cancellationToken))
            {
                published.Add((stageKey, new(0, int.MaxValue)));
                continue;
            }
            foreach (var range in samples.Ranges)
            {
                foreach (var manifest in await store.ListAsync(stageKey, range, cancellationToken))
                {
                    var kept = KeepDigest.Of(manifest.Kept);
                    var rows = manifest.Rows.Intersect(range);
                    foreach (var sample in Enumerable.Range(rows.Start, rows.Count).Where(s => index.KeepDigestOf(stageKey, s) == kept))
                        published.Add((stageKey, new(sample, sample + 1)));
                }
            }
        }
        return published;
    }

    /// <summary>Tries a batch again and again, each time in a new segment: the tail of the last one may be torn.</summary>
    /// <returns>Null when it is written; the failure when the store closes before.</returns>
    StoreException? TryUntilItWorks(List<Entry> batch, StoreException failure)
    {
        while (true)
        {
            Stalled?.Invoke(failure);
            if (_writer.End() is { } torn)
                _index.Finished(torn);
            if (_closing.Wait(_options.RetryAfter))
                return failure;
            try
            {
                Drain(batch);
                return null;
            }
            catch (Exception exception)
            {
                failure = DiskErrors.Wrap(exception, "write checkpoints to", _area.Where);
            }
        }
    }

    /// <summary>Another silo took this worker for dead and cleared its segment, in which nothing was wanted: go on in a new one.</summary>
    bool WasClearedAway() => _place is not null && _writer.Current is { } current && !_area.Exists(current.Name);

    T Read<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "read", _area.Where);
        }
    }
}
