using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Taba.Silo.Storage;

/// <summary>
/// The manifests of a stage's rows, a blob for each cell of 32 rows. No part reaches over a cell's border, so one blob decides
/// about every manifest that could overlap with another: it is created when it was absent, or replaced when it is still what
/// was read. It is the commit point.
/// </summary>
sealed class BlobCells(BlobContainerClient container, StorePaths paths)
{
    /// <summary>Rows of a cell. Part of the format: it may only change with the names.</summary>
    public const int Rows = 32;

    const int MaxBytes = 64 << 20;
    const int MaxCached = 4096;
    const int Parallel = 16;

    readonly ConcurrentDictionary<string, Cell> _cache = new();

    /// <summary>First row of the cell that holds a row.</summary>
    public static int StartOf(int row) => row / Rows * Rows;

    /// <summary>Reads a cell as it is now.</summary>
    public Task<Cell> ReadAsync(string stageKey, int start, CancellationToken cancellationToken)
    {
        var name = StorePaths.CellPath(stageKey, start);
        return BlobErrors.GuardAsync(
            "read", BlobErrors.Where(container, name), () => DownloadAsync(stageKey, start, name, cancellationToken), cancellationToken);
    }

    /// <summary>Stores a cell if it is still what was read.</summary>
    /// <returns>False when it is not.</returns>
    public async Task<bool> TryWriteAsync(Cell cell, ImmutableArray<PartManifest> manifests, CancellationToken cancellationToken)
    {
        var name = StorePaths.CellPath(cell.StageKey, cell.Start);
        var sorted = manifests.Sort((a, b) => a.RowStart != b.RowStart
            ? a.RowStart.CompareTo(b.RowStart)
            : string.CompareOrdinal(StorePaths.KeptDigest(a), StorePaths.KeptDigest(b)));
        var conditions = cell.Version is { } version ? new BlobRequestConditions { IfMatch = version } : new() { IfNoneMatch = ETag.All };
        try
        {
            var stored = await container.GetBlobClient(name).UploadAsync(
                new BinaryData(StoreJson.Write(new CellDocument(CellDocument.CurrentSchema, sorted))),
                new BlobUploadOptions { Conditions = conditions, HttpHeaders = new() { ContentType = "application/json" } },
                cancellationToken);
            Remember(name, cell with { Version = stored.Value.ETag, Manifests = sorted });
            return true;
        }
        catch (RequestFailedException exception) when (BlobErrors.IsLost(exception))
        {
            _cache.TryRemove(name, out _);
            return false;
        }
    }

    /// <summary>
    /// Every cell of a stage, in the order of rows. Cells that did not change since they were read last are not read again.
    /// </summary>
    public async Task<ImmutableArray<Cell>> ListAsync(string stageKey, CancellationToken cancellationToken)
    {
        var prefix = StorePaths.CellsPrefix(stageKey);
        var found = await BlobErrors.GuardAsync("list", BlobErrors.Where(container, prefix), async () =>
        {
            var items = new List<(int Start, string Name, ETag? Version)>();
            await foreach (var item in container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
            {
                if (StorePaths.TryParseManifestName(item.Name[prefix.Length..], out var start, out var kept) && kept.Length == 0)
                    items.Add((start, item.Name, item.Properties.ETag));
            }
            return items;
        }, cancellationToken);
        var cells = new Cell[found.Count];
        await System.Threading.Tasks.Parallel.ForAsync(
            0, found.Count, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var (start, name, version) = found[i];
                cells[i] = version is not null && _cache.TryGetValue(name, out var known) && known.Version == version
                    ? known
                    : await ReadAsync(stageKey, start, token);
            });
        return [.. cells.OrderBy(c => c.Start)];
    }

    /// <summary>Forgets what was read of a stage.</summary>
    public void Drop(string stageKey)
    {
        var prefix = StorePaths.CellsPrefix(stageKey);
        foreach (var name in _cache.Keys.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).ToList())
            _cache.TryRemove(name, out _);
    }

    async Task<Cell> DownloadAsync(string stageKey, int start, string name, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await container.GetBlobClient(name).DownloadStreamingAsync(cancellationToken: cancellationToken);
            await using var content = answer.Value.Content;
            var length = answer.Value.Details.ContentLength;
            if (length > MaxBytes)
                throw Damaged(name, $"it has {length} bytes, more than the {MaxBytes} that a cell may have");
            var bytes = new byte[length];
            await content.ReadExactlyAsync(bytes, cancellationToken);
            var cell = new Cell(stageKey, start, answer.Value.Details.ETag, Parse(stageKey, start, name, bytes));
            Remember(name, cell);
            return cell;
        }
        catch (RequestFailedException exception) when (exception.Status == 404 && exception.ErrorCode != BlobErrorCode.ContainerNotFound)
        {
            return new(stageKey, start, null, []);
        }
    }

    ImmutableArray<PartManifest> Parse(string stageKey, int start, string name, byte[] bytes)
    {
        CellDocument document;
        try
        {
            document = StoreJson.Read<CellDocument>(bytes);
        }
        catch (JsonException exception)
        {
            throw Damaged(name, exception.Message, exception);
        }
        if (document.Schema > CellDocument.CurrentSchema)
            throw Damaged(name, $"a newer version wrote it (schema {document.Schema}, this one knows {CellDocument.CurrentSchema})");
        if (document.Manifests.IsDefault || document.Manifests.Any(m => m is null))
            throw Damaged(name, "it lacks its manifests");
        foreach (var manifest in document.Manifests)
        {
            if (ManifestReader.Fault(paths, stageKey, StorePaths.ManifestName(manifest), manifest) is { } fault)
                throw Damaged(name, fault);
            if (!IsInCell(manifest.Rows, start))
                throw Damaged(name, $"it speaks of rows [{manifest.RowStart}, {manifest.RowEnd})");
        }
        foreach (var kind in document.Manifests.GroupBy(StorePaths.KeptDigest))
        {
            if (RowSet.Of([.. kind.Select(m => m.Rows)]).Count != kind.Sum(m => m.Rows.Count))
                throw Damaged(name, "two of its manifests hold the same rows");
        }
        return document.Manifests;
    }

    /// <summary>True when rows stay within a cell.</summary>
    public static bool IsInCell(RowRange rows, int start) => rows.Start >= start && rows.End <= start + (long)Rows;

    void Remember(string name, Cell cell)
    {
        if (_cache.Count >= MaxCached)
            _cache.Clear();
        _cache[name] = cell;
    }

    StoreException Damaged(string name, string why, Exception? inner = null) => new(
        $"the manifests {BlobErrors.Where(container, name)} cannot be used: {why.TrimEnd('.')}; delete that blob and run the same "
        + "command: its rows are computed again", inner);
}

/// <summary>A cell as it was read.</summary>
/// <param name="Start">Its first row.</param>
/// <param name="Version">Null when nothing is there.</param>
sealed record Cell(string StageKey, int Start, ETag? Version, ImmutableArray<PartManifest> Manifests)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{StageKey}/{Start:D8}");
}

/// <summary>The content of a cell's blob.</summary>
sealed record CellDocument(int Schema, ImmutableArray<PartManifest> Manifests)
{
    public const int CurrentSchema = 1;
}
