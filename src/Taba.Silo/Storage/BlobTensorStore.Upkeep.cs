using System.Collections.Immutable;
using System.Text.Json;
using Azure;
using Azure.Storage.Blobs.Models;

namespace Taba.Silo.Storage;

public sealed partial class BlobTensorStore
{
    public async Task<ImmutableArray<StoredStage>> ListStagesAsync(CancellationToken cancellationToken)
    {
        var stages = ImmutableArray.CreateBuilder<StoredStage>();
        foreach (var key in await StageKeysAsync(cancellationToken))
            stages.Add(await DescribeAsync(key, cancellationToken));
        return stages.ToImmutable();
    }

    public async Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken)
    {
        var prefix = StorePaths.StagePrefix(stageKey);
        return await BlobErrors.GuardAsync("list", BlobErrors.Where(_container, prefix), async () =>
        {
            await foreach (var _ in _container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
                return true;
            return false;
        }, cancellationToken);
    }

    /// <summary>
    /// The manifests go first: a crash afterwards leaves objects that nothing names. Only for stages that nobody computes.
    /// </summary>
    public async Task RemoveStageAsync(string stageKey, CancellationToken cancellationToken)
    {
        var names = await NamesAsync(StorePaths.StagePrefix(stageKey), cancellationToken);
        var cells = StorePaths.CellsPrefix(stageKey);
        _described.TryRemove(stageKey, out _);
        foreach (var name in names.OrderBy(n => n.StartsWith(cells, StringComparison.Ordinal) ? 0 : 1))
            await DeleteAsync(name, cancellationToken);
        _cells.Drop(stageKey);
    }

    public async Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken)
    {
        var deleted = 0;
        foreach (var key in await StageKeysAsync(cancellationToken))
        {
            var old = (await ItemsAsync(StorePaths.StagePrefix(key), cancellationToken))
                .Where(i => _paths.Resolve(i.Name) is not null && i.Properties.LastModified < writtenBefore)
                .Select(i => i.Name).ToList();
            if (old.Count == 0)
                continue;
            try
            {
                var named = (await ListAsync(key, cancellationToken)).SelectMany(m => m.Objects).Select(o => o.Path).ToHashSet();
                foreach (var name in old.Where(n => !named.Contains(n)))
                    deleted += await DeleteAsync(name, cancellationToken) ? 1 : 0;
            }
            catch (StoreException exception) when (exception.InnerException is null or JsonException)
            {
                // Damaged, not unreachable.
            }
        }
        return deleted;
    }

    async Task<StoredStage> DescribeAsync(string key, CancellationToken cancellationToken)
    {
        var rows = RowSet.Of([.. (await ListAsync(key, cancellationToken)).Select(m => m.Rows)]);
        var bytes = 0L;
        var lastWrite = DateTimeOffset.MinValue;
        foreach (var item in await ItemsAsync(StorePaths.StagePrefix(key), cancellationToken))
        {
            bytes += item.Properties.ContentLength ?? 0;
            if (item.Properties.LastModified is { } written && written > lastWrite)
                lastWrite = written;
        }
        return new(key, await ReadDescriptionAsync(key, cancellationToken), rows, bytes, lastWrite);
    }

    async Task<string?> ReadDescriptionAsync(string key, CancellationToken cancellationToken)
    {
        var name = StorePaths.DescriptionPath(key);
        try
        {
            var content = await BlobErrors.GuardAsync("read", BlobErrors.Where(_container, name), async () =>
            {
                using var answer =
                    (await _container.GetBlobClient(name).DownloadStreamingAsync(cancellationToken: cancellationToken)).Value;
                if (answer.Details.ContentLength > ManifestReader.MaxBytes)
                    return null;
                var bytes = new byte[answer.Details.ContentLength];
                await answer.Content.ReadExactlyAsync(bytes, cancellationToken);
                return bytes;
            }, cancellationToken);
            if (content is null)
                return null;
            var description = StoreJson.Read<StageFields>(content);
            return string.Join(", ", description.Fields.Select(f => $"{f.Key}={f.Value}"));
        }
        catch (StoreException exception) when (exception.InnerException is RequestFailedException { Status: 404 })
        {
            return null;
        }
        catch (JsonException)
        {
            // The description is for people: a damaged one must not hide the stage.
            return null;
        }
    }

    async Task<List<string>> StageKeysAsync(CancellationToken cancellationToken)
    {
        var where = BlobErrors.Where(_container, StorePaths.StagesPrefix);
        return await BlobErrors.GuardAsync("list", where, async () =>
        {
            var keys = new List<string>();
            var options = new GetBlobsByHierarchyOptions { Prefix = StorePaths.StagesPrefix, Delimiter = "/" };
            await foreach (var item in _container.GetBlobsByHierarchyAsync(options, cancellationToken))
            {
                if (item.IsPrefix && item.Prefix[StorePaths.StagesPrefix.Length..].TrimEnd('/') is var key && StorePaths.IsKey(key))
                    keys.Add(key);
            }
            keys.Sort(StringComparer.Ordinal);
            return keys;
        }, cancellationToken);
    }

    Task<List<BlobItem>> ItemsAsync(string prefix, CancellationToken cancellationToken) =>
        BlobErrors.GuardAsync("list", BlobErrors.Where(_container, prefix), async () =>
        {
            var items = new List<BlobItem>();
            await foreach (var item in _container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken))
                items.Add(item);
            return items;
        }, cancellationToken);
}
