using System.Collections.Concurrent;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Grains.Stages;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

/// <summary>
/// A tensor store in a container of Azure Blob storage, for all silos of a cluster. An attempt writes its objects under names of
/// its own; the conditional write of a cell that holds its manifest is the commit point. docs/design/storage.md has the layout.
/// </summary>
public sealed partial class BlobTensorStore : ITensorStore, IDisposable
{
    const int MaxDescribed = 4096;

    readonly BlobContainerClient _container;
    readonly ScratchFolder _scratch;
    readonly StorePaths _paths;
    readonly BlobCells _cells;
    readonly BlobObjects _objects;
    readonly ConcurrentDictionary<string, bool> _described = new();
    readonly ConcurrentDictionary<Guid, bool> _uncertain = new();

    /// <param name="container">The container; it exists.</param>
    /// <param name="scratchRoot">A folder here, for unfinished objects and copies of what is read. Processes may share it.</param>
    /// <param name="copies">
    /// With it <see cref="Open"/> copies small objects to the scratch folder, so that each travels once. Without it a reader of a whole run
    /// takes no room on this machine, and every object travels twice: for its digest, and for its rows.
    /// </param>
    /// <exception cref="StoreException">The scratch folder cannot be created.</exception>
    public BlobTensorStore(BlobContainerClient container, string scratchRoot, bool copies = true)
    {
        _container = container;
        _scratch = ScratchFolder.Take(scratchRoot);
        _paths = new(_scratch.Path);
        (_cells, _objects) = (new(container, _paths), new(container, _paths, copies));
        Disk("create", _paths.Scratch, () => Directory.CreateDirectory(_paths.Scratch));
    }

    /// <summary>Gives up the scratch folder. The next process that comes deletes what is in it.</summary>
    public void Dispose() => _scratch.Dispose();

    public string ScratchPath(PartAttempt attempt, string objectName)
    {
        var folder = _paths.ScratchOf(attempt);
        Disk("create", folder, () => Directory.CreateDirectory(folder));
        return Path.Combine(folder, StorePaths.ObjectFile(objectName));
    }

    public string? LocalPath(string objectPath) => null;

    public Task<string> PutAsync(PartAttempt attempt, string objectName, CancellationToken cancellationToken) =>
        SiloInstruments.StoreAsync("put", () => UploadAsync(attempt, objectName, cancellationToken));

    async Task<string> UploadAsync(PartAttempt attempt, string objectName, CancellationToken cancellationToken)
    {
        var name = StorePaths.ObjectPath(attempt, objectName);
        var scratch = Path.Combine(_paths.ScratchOf(attempt), StorePaths.ObjectFile(objectName));
        if (File.Exists(scratch))
        {
            await _objects.UploadAsync(scratch, name, "application/octet-stream", cancellationToken);
            DurableFile.DeleteIfThere(scratch);
        }
        // Otherwise an earlier try got as far as the upload.
        else if (!await _objects.ExistsAsync(name, cancellationToken))
            throw new StoreException($"the scratch file {scratch} is gone: run the same command again");
        return name;
    }

    public IObjectReader Open(string objectPath) => _objects.Open(objectPath);

    public Task<IObjectReader> OpenAsync(string objectPath, CancellationToken cancellationToken) =>
        _objects.OpenAsync(objectPath, cancellationToken);

    /// <summary>Waits for the network: not in a grain's turn.</summary>
    public void DeleteAttempt(PartAttempt attempt)
    {
        var scratch = _paths.ScratchOf(attempt);
        Disk("delete", scratch, () =>
        {
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
        });
        Task.Run(() => DeleteObjectsAsync(attempt)).GetAwaiter().GetResult();
    }

    public async Task DescribeStageAsync(string stageKey, StageSpec spec, CancellationToken cancellationToken)
    {
        var name = StorePaths.DescriptionPath(stageKey);
        if (_described.ContainsKey(stageKey))
            return;
        var fields = StageKey.Fields(spec).ToDictionary(f => f.Name, f => f.Value);
        var text = new BinaryData(StoreJson.Write(new StageDescription(stageKey, fields, spec)));
        await BlobErrors.GuardAsync("write", BlobErrors.Where(_container, name), async () =>
        {
            try
            {
                await _container.GetBlobClient(name).UploadAsync(
                    text, new BlobUploadOptions
                    {
                        Conditions = new() { IfNoneMatch = Azure.ETag.All },
                        HttpHeaders = new() { ContentType = "application/json" }
                    },
                    cancellationToken);
            }
            catch (Azure.RequestFailedException exception) when (BlobErrors.IsLost(exception))
            {
                // Another silo described it; equal keys have equal descriptions.
            }
            return true;
        }, cancellationToken);
        if (_described.Count >= MaxDescribed)
            _described.Clear();
        _described[stageKey] = true;
    }

    /// <summary>
    /// Deletes an attempt's objects that no manifest names. When the outcome of a publication is not known, its request may still be on
    /// its way. Writing the cell anew makes the request's condition fail; only then is it certain what the cell names.
    /// </summary>
    async Task DeleteObjectsAsync(PartAttempt attempt)
    {
        var names = await NamesAsync(StorePaths.ObjectsPrefix(attempt), CancellationToken.None);
        if (names.Count == 0)
            return;
        var fence = _uncertain.ContainsKey(attempt.Id);
        var named = new HashSet<string>();
        foreach (var start in CellsOf(new(attempt.RowStart, checked(attempt.RowStart + PartGrid.MaxRows))))
        {
            var cell = fence
                ? await FencedAsync(attempt.StageKey, start)
                : await _cells.ReadAsync(attempt.StageKey, start, CancellationToken.None);
            named.UnionWith(cell.Manifests.SelectMany(m => m.Objects).Select(o => o.Path));
        }
        foreach (var name in names.Where(n => !named.Contains(n)))
            await DeleteAsync(name, CancellationToken.None);
        _uncertain.TryRemove(attempt.Id, out _);
    }

    async Task<Cell> FencedAsync(string stageKey, int start)
    {
        while (true)
        {
            var cell = await _cells.ReadAsync(stageKey, start, CancellationToken.None);
            var where = BlobErrors.Where(_container, StorePaths.CellPath(stageKey, start));
            if (await BlobErrors.GuardAsync(
                "write", where, () => _cells.TryWriteAsync(cell, cell.Manifests, CancellationToken.None), CancellationToken.None))
                return cell;
        }
    }

    async Task<List<string>> NamesAsync(string prefix, CancellationToken cancellationToken) =>
        await BlobErrors.GuardAsync("list", BlobErrors.Where(_container, prefix), async () =>
        {
            var names = new List<string>();
            await foreach (var item in _container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
                names.Add(item.Name);
            return names;
        }, cancellationToken);

    Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => BlobErrors.GuardAsync(
        "delete", BlobErrors.Where(_container, name),
        async () => (await _container.DeleteBlobIfExistsAsync(name, cancellationToken: cancellationToken)).Value, cancellationToken);

    static IEnumerable<int> CellsOf(RowRange rows)
    {
        for (var start = BlobCells.StartOf(rows.Start); start < rows.End; start += BlobCells.Rows)
            yield return start;
    }

    static void Disk(string what, string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, what, path);
        }
    }
}
