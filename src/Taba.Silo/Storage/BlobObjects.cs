using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Taba.Silo.Storage;

/// <summary>Objects of a container: uploaded from scratch files, read as copies or in ranges.</summary>
/// <param name="copies">Whether small objects that are read here and there are copied to this machine.</param>
sealed class BlobObjects(BlobContainerClient container, StorePaths paths, bool copies)
{
    const int MaxBlocks = 50_000;
    const long SmallestBlock = 8L << 20;
    const long LargestBlock = 4000L << 20;
    const int Parallel = 4;

    /// <summary>Larger objects are not copied when they are opened to be read here and there.</summary>
    const long CopiedBytes = 32L << 20;

    /// <summary>Bytes of a block, so that a file has no more of them than Azure allows.</summary>
    /// <exception cref="StoreException">No blob can be so large.</exception>
    public static long BlockBytes(long fileBytes) => Math.Max(SmallestBlock, fileBytes / MaxBlocks + 1) is var block and <= LargestBlock
        ? block
        : throw new StoreException($"an object of {fileBytes} bytes is larger than a blob may be: keep fewer steps");

    public async Task UploadAsync(string file, string name, string contentType, CancellationToken cancellationToken)
    {
        var length = new FileInfo(file).Length;
        await BlobErrors.GuardAsync("write", Where(name), async () =>
        {
            await using var content = new FileStream(
                file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
            var options = new BlobUploadOptions
            {
                HttpHeaders = new() { ContentType = contentType },
                TransferOptions = new StorageTransferOptions
                {
                    InitialTransferSize = SmallestBlock, MaximumTransferSize = BlockBytes(length), MaximumConcurrency = Parallel,
                },
            };
            return await container.GetBlobClient(name).UploadAsync(content, options, cancellationToken);
        }, cancellationToken);
    }

    public Task<bool> ExistsAsync(string name, CancellationToken cancellationToken) => BlobErrors.GuardAsync(
        "read", Where(name), async () => (await container.GetBlobClient(name).ExistsAsync(cancellationToken)).Value, cancellationToken);

    /// <summary>Opens an object for reading here and there; small ones are copied, so that they travel once, unless nothing is.</summary>
    public IObjectReader Open(string name) => BlobErrors.Guard("read", Where(name), () =>
    {
        var client = container.GetBlobClient(Checked(name));
        var properties = Found(name, () => client.GetProperties()).Value;
        if (!copies || properties.ContentLength > CopiedBytes)
            return (IObjectReader)new BlobObjectReader(client, Where(name), properties.ContentLength, properties.ETag, ahead: copies);
        return Copy(
            file => Found(name, () => client.DownloadTo(file, conditions: new BlobRequestConditions { IfMatch = properties.ETag })));
    });

    /// <summary>Copies an object to the scratch disk, so that nothing waits for the network afterwards.</summary>
    public Task<IObjectReader> OpenAsync(string name, CancellationToken cancellationToken) =>
        BlobErrors.GuardAsync("read", Where(name), async () =>
    {
        var client = container.GetBlobClient(Checked(name));
        var path = NewCopy();
        try
        {
            await using (var file = Create(path))
            {
                try
                {
                    await client.DownloadToAsync(file, cancellationToken);
                }
                catch (RequestFailedException exception) when (exception.Status == 404)
                {
                    throw Gone(name, exception);
                }
            }
            return (IObjectReader)Unnamed(path);
        }
        finally
        {
            DurableFile.DeleteIfThere(path);
        }
    }, cancellationToken);

    FileObjectReader Copy(Action<Stream> download)
    {
        var path = NewCopy();
        try
        {
            using (var file = Create(path))
                download(file);
            return Unnamed(path);
        }
        finally
        {
            DurableFile.DeleteIfThere(path);
        }
    }

    string NewCopy()
    {
        var folder = Path.Combine(paths.Scratch, "copies");
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "create", folder);
        }
        return Path.Combine(folder, $"{Guid.NewGuid():N}.safetensors");
    }

    /// <summary>A write that fails is the disk's fault, not the account's.</summary>
    static ScratchStream Create(string path) => new ScratchStream(path);

    /// <summary>The copy loses its name at once: its room is free again when the reader or the process ends.</summary>
    static FileObjectReader Unnamed(string path) => new(path);

    string Checked(string name) => paths.Resolve(name) is not null
        ? name
        : throw new StoreException(
            $"'{name}' is not a path of an object in the store {BlobErrors.Where(container)}: the manifest that names it is damaged; "
            + "delete it");

    T Found<T>(string name, Func<T> request)
    {
        try
        {
            return request();
        }
        catch (RequestFailedException exception) when (exception.Status == 404 && exception.ErrorCode != BlobErrorCode.ContainerNotFound)
        {
            throw Gone(name, exception);
        }
    }

    StoreException Gone(string name, Exception inner) => new(
        $"the object {Where(name)} is gone; delete the blob of its rows in "
        + $"{BlobErrors.Where(container, $"store/{name.Split('/')[1]}/cells")}"
        + " and run the same command: its rows are computed again", inner);

    string Where(string name) => BlobErrors.Where(container, name);
}
