using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Taba.Storage.Objects;

/// <summary>
/// Objects in a container of Azure Blob storage. A write with If-None-Match is the exclusive creation. docs/guide/azure.md tells an
/// operator what it needs.
/// </summary>
public sealed class BlobObjects : IObjectStore, IDisposable
{
    const int MaxBlocks = 50_000;
    const long SmallestBlock = 8L << 20;
    const long LargestBlock = 4000L << 20;
    const int Parallel = 4;
    const int ParallelDeletes = 16;

    /// <summary>Larger objects are not copied when they are opened to be read here and there.</summary>
    const long CopiedBytes = 32L << 20;

    static readonly BlobUploadOptions s_createOnly = new() { Conditions = new() { IfNoneMatch = ETag.All } };

    readonly BlobContainerClient _container;
    readonly ScratchFolder _scratch;
    readonly bool _copies;

    /// <param name="container">The container; it exists.</param>
    /// <param name="scratchRoot">A folder here, for unfinished objects and copies of what is read. Processes may share it.</param>
    /// <param name="copies">
    /// With it <see cref="Open"/> copies small objects to the scratch folder, so that each travels once. Without it a reader of a whole run
    /// takes no room on this machine, and every object travels twice: for its digest, and for its rows.
    /// </param>
    /// <exception cref="StoreException">The scratch folder cannot be created.</exception>
    public BlobObjects(BlobContainerClient container, string scratchRoot, bool copies = true) =>
        (_container, _scratch, _copies) = (container, ScratchFolder.Take(scratchRoot), copies);

    public string Place => BlobErrors.Where(_container);

    public string Scratch => _scratch.Path;

    public string Where(string name) => name.Length == 0 ? Place : BlobErrors.Where(_container, name);

    public string? LocalPath(string name) => null;

    public async Task PutAsync(string name, string file, CancellationToken cancellationToken)
    {
        var blob = Blob(name);
        await BlobErrors.GuardAsync("write", Where(name), async () =>
        {
            await using var content = new FileStream(
                file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
            var options = new BlobUploadOptions
            {
                HttpHeaders = new() { ContentType = ContentType(name) },
                TransferOptions = new StorageTransferOptions
                {
                    InitialTransferSize = SmallestBlock, MaximumTransferSize = BlockBytes(content.Length), MaximumConcurrency = Parallel,
                },
            };
            return await blob.UploadAsync(content, options, cancellationToken);
        }, cancellationToken);
        DurableFile.DeleteIfThere(file);
    }

    public Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var blob = Blob(name);
        return BlobErrors.GuardAsync("create", Where(name), async () =>
        {
            try
            {
                await blob.UploadAsync(new BinaryData(bytes), s_createOnly, cancellationToken);
                return true;
            }
            catch (RequestFailedException exception) when (BlobErrors.IsLost(exception))
            {
                return false;
            }
        }, cancellationToken);
    }

    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var blob = Blob(name);
        return BlobErrors.GuardAsync("write", Where(name), () => blob.UploadAsync(
            new BinaryData(bytes), new BlobUploadOptions { HttpHeaders = new() { ContentType = ContentType(name) } },
            cancellationToken), cancellationToken);
    }

    public IObjectWriter Create(string name, long bytes) => new BlobWriter(
        _container.GetBlockBlobClient(ObjectNames.Checked(name, Place)), Where(name), BlockBytes(bytes), ContentType(name));

    public Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken)
    {
        var blob = Blob(name);
        return BlobErrors.GuardAsync("read", Where(name), async () =>
        {
            try
            {
                using var answer = (await blob.DownloadStreamingAsync(cancellationToken: cancellationToken)).Value;
                var length = answer.Details.ContentLength;
                if (length > mostBytes)
                    throw new ObjectTooLargeException(Where(name), length, mostBytes);
                var bytes = new byte[length];
                await answer.Content.ReadExactlyAsync(bytes, cancellationToken);
                return bytes;
            }
            catch (RequestFailedException exception) when (BlobErrors.IsGone(exception))
            {
                return null;
            }
        }, cancellationToken);
    }

    public IObjectReader? Open(string name)
    {
        var blob = Blob(name);
        return BlobErrors.Guard<IObjectReader?>("read", Where(name), () =>
        {
            try
            {
                var properties = blob.GetProperties().Value;
                return !_copies || properties.ContentLength > CopiedBytes
                    ? new BlobReader(blob, Where(name), properties.ContentLength, properties.ETag, ahead: _copies)
                    : Copy(file => blob.DownloadTo(file, conditions: new BlobRequestConditions { IfMatch = properties.ETag }));
            }
            catch (RequestFailedException exception) when (BlobErrors.IsGone(exception))
            {
                return null;
            }
        });
    }

    public Task<long?> LengthAsync(string name, CancellationToken cancellationToken)
    {
        var blob = Blob(name);
        return BlobErrors.GuardAsync<long?>("read", Where(name), async () =>
        {
            try
            {
                return (await blob.GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ContentLength;
            }
            catch (RequestFailedException exception) when (BlobErrors.IsGone(exception))
            {
                return null;
            }
        }, cancellationToken);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Prefix = ObjectNames.CheckedPrefix(prefix, Place) };
        await foreach (var page in PagesAsync(prefix, _container.GetBlobsAsync(options, cancellationToken).AsPages(), cancellationToken))
        {
            foreach (var item in page.Values)
                yield return new(item.Name, item.Properties.ContentLength ?? 0, item.Properties.LastModified ?? default);
        }
    }

    public async IAsyncEnumerable<string> FoldersAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsByHierarchyOptions { Prefix = ObjectNames.CheckedPrefix(prefix, Place), Delimiter = "/" };
        await foreach (var page in PagesAsync(
            prefix, _container.GetBlobsByHierarchyAsync(options, cancellationToken).AsPages(), cancellationToken))
        {
            foreach (var item in page.Values.Where(i => i.IsPrefix))
                yield return item.Prefix[prefix.Length..].TrimEnd('/');
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var blob = Blob(name);
        return BlobErrors.GuardAsync(
            "delete", Where(name), () => blob.DeleteIfExistsAsync(cancellationToken: cancellationToken), cancellationToken);
    }

    public async Task<int> DeleteAllAsync(string prefix, CancellationToken cancellationToken)
    {
        var deleted = 0;
        await System.Threading.Tasks.Parallel.ForEachAsync(
            ListAsync(prefix, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = ParallelDeletes, CancellationToken = cancellationToken },
            async (item, token) =>
            {
                await DeleteAsync(item.Name, token);
                Interlocked.Increment(ref deleted);
            });
        return deleted;
    }

    public void DeleteUnfinished(string prefix, Func<string, bool>? of = null)
    {
        // A blob is there with its last byte; blocks that nobody committed are the account's to delete.
    }

    /// <summary>Gives up the scratch folder. The next process that comes deletes what is in it.</summary>
    public void Dispose() => _scratch.Dispose();

    /// <summary>Bytes of a block, so that a file has no more of them than Azure allows.</summary>
    /// <exception cref="StoreException">No blob can be so large.</exception>
    internal static long BlockBytes(long fileBytes) => Math.Max(SmallestBlock, fileBytes / MaxBlocks + 1) is var block and <= LargestBlock
        ? block
        : throw new StoreException($"an object of {fileBytes} bytes is larger than a blob may be: keep fewer steps");

    /// <summary>A page of a list as one request of its own, so that each one that fails is named.</summary>
    async IAsyncEnumerable<Page<T>> PagesAsync<T>(
        string prefix, IAsyncEnumerable<Page<T>> pages, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : notnull
    {
        await using var page = pages.GetAsyncEnumerator(cancellationToken);
        while (await BlobErrors.GuardAsync("list", Where(prefix), () => page.MoveNextAsync().AsTask(), cancellationToken))
            yield return page.Current;
    }

    FileReader Copy(Action<Stream> download)
    {
        var folder = Path.Combine(Scratch, "copies");
        StoreErrors.Guard("create", folder, () => Directory.CreateDirectory(folder));
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.copy");
        try
        {
            // A write that fails is the disk's fault, not the account's.
            using (var file = new ScratchStream(path))
                download(file);
            return StoreErrors.Guard("read", path, () => new FileReader(path));
        }
        finally
        {
            // Its room is free again when the reader or the process ends.
            DurableFile.DeleteIfThere(path);
        }
    }

    BlobClient Blob(string name) => _container.GetBlobClient(ObjectNames.Checked(name, Place));

    static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".json" => "application/json",
        ".html" => "text/html; charset=utf-8",
        ".csv" => "text/csv; charset=utf-8",
        ".png" => "image/png",
        _ => "application/octet-stream",
    };
}
