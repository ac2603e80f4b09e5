using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>
/// The cells of a store's stages. A cell has versions, each a document that is created once and never changed or deleted while its stage
/// is there: creating the next one is the compare and swap, and the only commit point of the store. A version that cannot be read is
/// followed by one that goes on from the last that can (docs/design/exactly-once.md).
/// </summary>
/// <param name="mends">
/// Whether a damaged version is followed by a good one; a reader that must write nothing takes the last good one as it is.
/// </param>
sealed class Cells(IObjectStore objects, TimeProvider time, bool mends)
{
    const int MostCached = 4096;
    const int MostLooks = 3;
    const int Parallel = 16;
    const string Gone = "it is gone";

    /// <summary>What was read, with the version as lists showed it: a stage that was removed and begun anew has the same names.</summary>
    readonly ConcurrentDictionary<(string Key, int Start), (StoredObject Version, Cell Cell)> _cache = new();

    /// <summary>Told of every version that is found damaged.</summary>
    public event Action<string, string>? Damaged;

    /// <summary>Reads a cell as it is now. A cell that nobody wrote has version 0.</summary>
    /// <exception cref="StoreException">The place failed, or a newer Taba wrote the cell.</exception>
    public Task<Cell> ReadAsync(string stageKey, int start, CancellationToken cancellationToken) =>
        LookAsync(stageKey, start, looks: 1, cancellationToken);

    async Task<Cell> LookAsync(string stageKey, int start, int looks, CancellationToken cancellationToken)
    {
        StoredObject? newest = null;
        await foreach (var item in objects.ListAsync(StoreNames.Cell(stageKey, start), cancellationToken))
        {
            // Names come in order: the last version is the newest.
            if (StoreNames.TryParseVersion(stageKey, item.Name, out var where, out _) && where == start)
                newest = item;
        }
        return newest is { } found
            ? await ReadAsync(stageKey, start, found, looks, cancellationToken)
            : new(stageKey, start, 0, CellDocument.Empty);
    }

    /// <summary>Creates the next version of a cell as it was read.</summary>
    /// <returns>False when it is not the cell's newest version any more, or when an earlier request of this very call created it.</returns>
    /// <exception cref="StoreException">The place failed, or no cell may become so large.</exception>
    public Task<bool> TryWriteAsync(Cell cell, CellDocument next, CancellationToken cancellationToken)
    {
        var name = StoreNames.Version(cell.StageKey, cell.Start, cell.Version + 1);
        var bytes = next.Write();
        // Written, it could not be read any more.
        return bytes.Length <= CellDocument.MostBytes
            ? objects.TryCreateAsync(name, bytes, cancellationToken)
            : throw new ObjectTooLargeException(objects.Where(name), bytes.Length, CellDocument.MostBytes);
    }

    /// <summary>Changes a cell, however many others do at the same time.</summary>
    /// <param name="change">The next document; null to leave the cell as it is. Called again when another one was quicker.</param>
    public async Task<Cell> ChangeAsync(
        string stageKey, int start, Func<CellDocument, CellDocument?> change, CancellationToken cancellationToken)
    {
        while (true)
        {
            var cell = await ReadAsync(stageKey, start, cancellationToken);
            if (change(cell.Content) is not { } next)
                return cell;
            if (await TryWriteAsync(cell, next, cancellationToken))
                return cell with { Version = cell.Version + 1, Content = next };
        }
    }

    /// <summary>The cells of a stage that hold anything, in the order of their rows.</summary>
    /// <param name="rows">Only the cells of these rows are looked at.</param>
    public async IAsyncEnumerable<Cell> ListAsync(
        string stageKey, RowRange rows, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var few = rows.Count / CellGrid.Rows < Parallel;
        // Few cells are asked for one by one; of many the names come in pages, and only the newest versions are read.
        var found = few ? Asked() : ListedAsync(stageKey, rows, cancellationToken);
        var batch = new List<Task<Cell>>(Parallel);
        await foreach (var (start, version) in found)
        {
            batch.Add(
                version is { } known
                ? ReadAsync(stageKey, start, known, 1, cancellationToken)
                : ReadAsync(stageKey, start, cancellationToken));
            if (batch.Count < Parallel)
                continue;
            foreach (var cell in await Task.WhenAll(batch))
                yield return cell;
            batch.Clear();
        }
        foreach (var cell in await Task.WhenAll(batch))
            yield return cell;

        async IAsyncEnumerable<(int Start, StoredObject? Version)> Asked()
        {
            await Task.CompletedTask;
            foreach (var start in CellGrid.StartsOf(rows))
                yield return (start, null);
        }
    }

    /// <summary>Forgets what was read of a stage.</summary>
    public void Drop(string stageKey)
    {
        foreach (var key in _cache.Keys.Where(k => k.Key == stageKey).ToList())
            _cache.TryRemove(key, out _);
    }

    /// <summary>Names come in order, so that a cell's versions follow one another and the last one is the newest.</summary>
    async IAsyncEnumerable<(int Start, StoredObject? Version)> ListedAsync(
        string stageKey, RowRange rows, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (int Start, StoredObject Version)? last = null;
        await foreach (var item in objects.ListAsync(StoreNames.Cells(stageKey), cancellationToken))
        {
            if (!StoreNames.TryParseVersion(stageKey, item.Name, out var start, out _) || CellGrid.RowsOf(start).Intersect(rows).IsEmpty)
                continue;
            if (last is { } before && before.Start != start)
                yield return before;
            last = (start, item);
        }
        if (last is { } end)
            yield return end;
    }

    async Task<Cell> ReadAsync(string stageKey, int start, StoredObject listed, int looks, CancellationToken cancellationToken)
    {
        // A version never changes: what was read of it once is true for ever.
        if (_cache.TryGetValue((stageKey, start), out var known) && known.Version == listed)
            return known.Cell;
        _ = StoreNames.TryParseVersion(stageKey, listed.Name, out _, out var newest);
        var good = newest;
        string? damage = null;
        CellDocument? content = null;
        while (content is null && good > 0)
        {
            (content, var fault) = await TryReadAsync(stageKey, start, good, cancellationToken);
            if (content is not null)
                break;
            // The stage may have been removed since its names were read.
            if (fault == Gone && good == newest && looks < MostLooks)
                return await LookAsync(stageKey, start, looks + 1, cancellationToken);
            damage ??= fault;
            good--;
        }
        var cell = new Cell(stageKey, start, newest, content ?? CellDocument.Empty);
        if (damage is null)
        {
            Remember(listed, cell);
            return cell;
        }
        Damaged?.Invoke(objects.Where(StoreNames.Version(stageKey, start, newest)), damage);
        if (!mends)
            return cell;
        var mended = cell.Content with
        {
            Void = cell.Content.Void.Add(new(
                start, start + CellGrid.Rows, null, $"version {newest} of the cell cannot be read: {damage}", time.GetUtcNow())),
        };
        if (await TryWriteAsync(cell, mended, cancellationToken))
        {
            StoreInstruments.Voided.Add(1);
            return cell with { Version = newest + 1, Content = mended };
        }
        return await ReadAsync(stageKey, start, cancellationToken);
    }

    /// <summary>Reads a version; when it seems damaged, once more: a disk or a network may err on the way.</summary>
    async Task<(CellDocument? Content, string? Fault)> TryReadAsync(
        string stageKey, int start, int version, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var bytes = await objects.ReadAsync(
                    StoreNames.Version(stageKey, start, version), CellDocument.MostBytes, cancellationToken);
                return bytes is null ? (null, Gone) : (CellDocument.Parse(stageKey, start, bytes), null);
            }
            catch (Exception exception) when (exception is DamagedDocumentException or ObjectTooLargeException)
            {
                if (attempt > 1)
                    return (null, exception.Message);
            }
        }
    }

    void Remember(StoredObject version, Cell cell)
    {
        if (_cache.Count >= MostCached)
            _cache.Clear();
        _cache[(cell.StageKey, cell.Start)] = (version, cell);
    }
}

/// <summary>A cell as it was read.</summary>
/// <param name="Start">Its first row.</param>
/// <param name="Version">Its newest version; 0 when nobody wrote it.</param>
/// <param name="Content">The newest version that can be read.</param>
sealed record Cell(string StageKey, int Start, int Version, CellDocument Content);
