using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>What a store holds, for people: its stages, and whether they can be read.</summary>
public static class StoreContents
{
    const int MostDescriptionBytes = 4 << 20;

    /// <summary>Keys of the stages in the store, in order.</summary>
    public static async IAsyncEnumerable<string> StageKeysAsync(
        this TensorStore store, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var folder in store.Objects.FoldersAsync(StoreNames.Stages, cancellationToken))
        {
            if (StoreNames.IsKey(folder))
                yield return folder;
        }
    }

    /// <summary>Every stage in the store, with its rows and its size.</summary>
    public static async IAsyncEnumerable<StoredStage> ListStagesAsync(
        this TensorStore store, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var key in store.StageKeysAsync(cancellationToken))
        {
            var rows = PublishedRows.Sum(await store.ListAsync(key, cancellationToken))
                .Aggregate(RowSet.Empty, (all, kept) => all.Union(kept.Rows));
            var (bytes, lastWrite) = (0L, DateTimeOffset.MinValue);
            await foreach (var item in store.Objects.ListAsync(StoreNames.Stage(key), cancellationToken))
            {
                bytes += item.Bytes;
                lastWrite = item.LastWrite > lastWrite ? item.LastWrite : lastWrite;
            }
            yield return new(key, await SpecAsync(store, key, cancellationToken), rows, bytes, lastWrite);
        }
    }

    /// <summary>
    /// Reads everything that is published and checks its digest. Damaged versions of cells are found by the reading itself
    /// (<see cref="TensorStore.Damaged"/>).
    /// </summary>
    /// <param name="stageKey">One stage; all of them when null.</param>
    /// <param name="repair">Whether what is damaged is made void, so that its rows are computed again.</param>
    /// <returns>What is damaged.</returns>
    public static async IAsyncEnumerable<DamagedRowsException> VerifyAsync(
        this TensorStore store, string? stageKey, bool repair, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = stageKey is null ? store.StageKeysAsync(cancellationToken) : new[] { stageKey }.ToAsyncEnumerable();
        await foreach (var key in keys)
        {
            foreach (var manifest in await store.ListAsync(key, cancellationToken))
            {
                if (await Task.Run(() => Damage(store, manifest), cancellationToken) is not { } damage)
                    continue;
                if (repair)
                    await store.VoidAsync(manifest, damage.Message, cancellationToken);
                yield return damage;
            }
        }
    }

    /// <summary>Published rows for which other bytes were computed too, stage by stage.</summary>
    /// <param name="stageKey">One stage; all of them when null.</param>
    public static async IAsyncEnumerable<(string StageKey, Disagreement What)> DisagreementsAsync(
        this TensorStore store, string? stageKey, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = stageKey is null ? store.StageKeysAsync(cancellationToken) : new[] { stageKey }.ToAsyncEnumerable();
        await foreach (var key in keys)
        {
            await foreach (var cell in store.Cells.ListAsync(key, new(0, int.MaxValue), cancellationToken))
            {
                // Of rows that were made void and computed again it says nothing any more.
                foreach (var what in cell.Content.Disagreements.Where(
                    d => cell.Content.Manifests.Any(m => m.Attempt == d.Published.Attempt)))
                    yield return (key, what);
            }
        }
    }

    /// <summary>
    /// Deletes the scratch files that no attempt will go on with: those without a checkpoint. Only where no attempt lives.
    /// </summary>
    internal static async Task ClearScratchAsync(this TensorStore store, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(store.Objects.Scratch))
            return;
        foreach (var folder in Directory.GetDirectories(store.Objects.Scratch))
        {
            var name = Path.GetFileName(folder);
            var cut = name.IndexOf('-', StringComparison.Ordinal);
            if (cut <= 0 || !StoreNames.IsKey(name[..cut]) || PartAttempt.OfName(name[..cut], name[(cut + 1)..]) is not { } attempt
                || await store.Objects.LengthAsync(StoreNames.Checkpoint(attempt), cancellationToken) is null)
                TensorStore.DeleteFolder(folder);
        }
    }

    /// <summary>
    /// Deletes what attempts left that are over and did not publish: objects that no cell names, checkpoints and scratch files. By
    /// reference, not by age: what is not in use is fenced first and deleted then.
    /// </summary>
    /// <param name="inUse">The attempts of a stage that may still publish, or whose checkpoints may be of use.</param>
    /// <returns>The number of objects and checkpoints deleted.</returns>
    public static async Task<int> SweepAsync(
        this TensorStore store, Func<string, Task<IReadOnlySet<Guid>>> inUse, CancellationToken cancellationToken)
    {
        var deleted = 0;
        var all = new HashSet<Guid>();
        await foreach (var key in store.StageKeysAsync(cancellationToken))
        {
            // In this order: an attempt that begins meanwhile has no objects in the list, and one that publishes is named or in use.
            var names = await store.Objects.ListAsync(StoreNames.Objects(key), cancellationToken).Select(o => o.Name)
                .ToListAsync(cancellationToken);
            var attempts = ScratchAttempts(store, key);
            var checkpoints = await CheckpointsAsync(store, key, cancellationToken);
            var living = await inUse(key);
            all.UnionWith(living);
            foreach (var attempt in checkpoints.Where(a => !living.Contains(a.Id)))
            {
                await store.Objects.DeleteAsync(StoreNames.Checkpoint(attempt), cancellationToken);
                deleted++;
            }
            var named = (await store.ListAsync(key, cancellationToken)).SelectMany(m => m.Objects).Select(o => o.Path).ToHashSet();
            attempts.UnionWith(names.Where(n => !named.Contains(n)).Select(StoreNames.AttemptOf).OfType<PartAttempt>());
            foreach (var attempt in attempts.Where(a => !living.Contains(a.Id)))
                deleted += await store.DeleteAttemptAsync(attempt, cancellationToken);
        }
        // Checkpoints half-written. One of an attempt that has begun since is written again.
        await Task.Run(
            () => store.Objects.DeleteUnfinished(
                StoreNames.Stages, name => PartAttempt.OfName("", name) is { } attempt && !all.Contains(attempt.Id)), cancellationToken);
        StoreInstruments.OrphansDeleted.Add(deleted);
        return deleted;
    }

    internal static async Task<List<PartAttempt>> CheckpointsAsync(this TensorStore store, string key, CancellationToken cancellationToken)
    {
        var prefix = StoreNames.Checkpoints(key);
        return await store.Objects.ListAsync(prefix, cancellationToken).Select(o => PartAttempt.OfName(key, o.Name[prefix.Length..]))
            .Where(a => a is not null).Select(a => a!.Value).ToListAsync(cancellationToken);
    }

    /// <summary>Attempts that have a scratch folder where several processes share one. A blob store's is its process's own.</summary>
    static HashSet<PartAttempt> ScratchAttempts(TensorStore store, string key) =>
        store.Objects is FolderObjects && Directory.Exists(store.Objects.Scratch)
            ? [.. Directory.EnumerateDirectories(store.Objects.Scratch, $"{key}-*").Select(d => PartAttempt.OfName(
                key, Path.GetFileName(d)[(key.Length + 1)..])).OfType<PartAttempt>()]
            : [];

    static DamagedRowsException? Damage(TensorStore store, PartManifest manifest)
    {
        try
        {
            foreach (var entry in manifest.Objects)
                StageReader.OpenChecked(store, manifest, entry).Dispose();
            return null;
        }
        catch (DamagedRowsException damage)
        {
            return damage;
        }
    }

    /// <summary>The description is for people: a damaged one must not hide the stage.</summary>
    static async Task<StageSpec?> SpecAsync(TensorStore store, string key, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await store.Objects.ReadAsync(StoreNames.Description(key), MostDescriptionBytes, cancellationToken);
            return bytes is null ? null : StoreJson.Read<StageDescription>(bytes).Spec;
        }
        catch (Exception exception) when (exception is JsonException or ObjectTooLargeException)
        {
            return null;
        }
    }
}

/// <summary>A stage as the store holds it.</summary>
/// <param name="Spec">What it computes; null when nobody wrote it down, or it cannot be read.</param>
/// <param name="Rows">The rows whose result is published.</param>
/// <param name="Bytes">Bytes of all its objects and documents.</param>
public sealed record StoredStage(string Key, StageSpec? Spec, RowSet Rows, long Bytes, DateTimeOffset LastWrite);
