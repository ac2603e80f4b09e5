using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>Segments in a container of Azure Blob storage: <c>checkpoints/WORKER/NAME.seg</c>.</summary>
sealed class BlobSegmentPlace(BlobContainerClient container) : ISegmentPlace
{
    const string Prefix = "checkpoints/";

    // A dot at the end of a name, or a name of dots, would not survive the way to the server.
    public ISegmentArea Of(string worker) =>
        new BlobSegmentArea(container, $"{Prefix}{WorkerNames.Escape(worker).Replace(".", "%2E", StringComparison.Ordinal)}/");

    public IReadOnlyList<string> Workers() => BlobErrors.Guard("list", BlobErrors.Where(container, Prefix), () =>
        container.GetBlobsByHierarchy(new GetBlobsByHierarchyOptions { Prefix = Prefix, Delimiter = "/" })
            .Where(i => i.IsPrefix).Select(i => WorkerNames.Unescape(i.Prefix[Prefix.Length..].TrimEnd('/')))
            .Order(StringComparer.Ordinal).ToList());
}

/// <summary>
/// Segments as append blobs: a flush is one request (one for each 4 MiB), and what it appended can be read at once. Calls
/// wait for the network.
/// </summary>
sealed class BlobSegmentArea(BlobContainerClient container, string prefix) : ISegmentArea
{
    public string Where => BlobErrors.Where(container, prefix);

    public IReadOnlyList<SegmentEntry> List() => BlobErrors.Guard("list", Where, () =>
        container.GetBlobs(new GetBlobsOptions { Prefix = prefix })
            .Where(b => b.Name.EndsWith(".seg", StringComparison.Ordinal))
            .Select(b => new SegmentEntry(
                b.Name[prefix.Length..], b.Properties.ContentLength ?? 0, b.Properties.LastModified ?? DateTimeOffset.MaxValue))
            .OrderBy(e => e.Name, StringComparer.Ordinal).ToList());

    public ISegmentSource? Open(string name) => new Source(container.GetBlobClient(prefix + name), WhereIs(name));

    public ISegmentAppender Begin(string name)
    {
        var blob = container.GetAppendBlobClient(prefix + name);
        return BlobErrors.Guard("write", WhereIs(name), () =>
        {
            try
            {
                blob.Create(new AppendBlobCreateOptions { Conditions = new() { IfNoneMatch = ETag.All } });
            }
            catch (RequestFailedException exception) when (BlobErrors.IsLost(exception) && blob.GetProperties().Value.ContentLength == 0)
            {
                // The answer to our own first request was lost: nobody else writes names of this worker.
            }
            return new Appender(blob, WhereIs(name));
        });
    }

    /// <summary>It is not asked: an append to a blob that is gone fails, and the writer goes on in a new one.</summary>
    public bool Exists(string name) => true;

    public void Delete(string name) => BlobErrors.Guard("delete", WhereIs(name), () => container.DeleteBlobIfExists(prefix + name));

    public void DeleteIfEmpty()
    {
        // There are no folders.
    }

    string WhereIs(string name) => BlobErrors.Where(container, prefix + name);

    /// <summary>Reads what had been appended when it was first asked; that does not change any more, though the blob may grow.</summary>
    sealed class Source(BlobClient blob, string where) : ISegmentSource
    {
        BlobObjectReader? _reader;

        /// <summary>0 when it is gone.</summary>
        public long Length => (_reader ??= new(blob, where, LengthNow())).Length;

        public bool TryRead(long offset, Span<byte> buffer)
        {
            if (_reader is not null && offset > Length - buffer.Length)
                return false;
            try
            {
                // Who reads one record knows where it ends: a request for the length would only cost time.
                (_reader ?? new(blob, where, long.MaxValue)).Read(offset, buffer);
                return true;
            }
            catch (StoreException exception) when (exception.InnerException is RequestFailedException failed
                && (failed.Status == 416 || IsGone(failed)))
            {
                // It was cleared away while it was read, or ends before.
                return false;
            }
        }

        public void Dispose()
        {
            // Every request ends by itself.
        }

        long LengthNow() => BlobErrors.Guard("read", where, () =>
        {
            try
            {
                return blob.GetProperties().Value.ContentLength;
            }
            catch (RequestFailedException exception) when (IsGone(exception))
            {
                return 0;
            }
        });

        static bool IsGone(RequestFailedException exception) =>
            exception.Status == 404 && exception.ErrorCode != BlobErrorCode.ContainerNotFound;
    }

    sealed class Appender(AppendBlobClient blob, string where) : ISegmentAppender
    {
        /// <summary>The bytes that every version of the service takes in one request.</summary>
        const int BlockBytes = 4 << 20;

        /// <summary>A blob has at most 50,000 blocks. One record takes at most 257 of them, and what goes with it two.</summary>
        const int FullBlocks = 49_000;

        readonly List<ReadOnlyMemory<byte>> _waiting = [];
        long _flushed;
        int _blocks;

        public long Length { get; private set; }

        public bool IsFull => _blocks >= FullBlocks;

        public void Append(IReadOnlyList<ReadOnlyMemory<byte>> buffers)
        {
            _waiting.AddRange(buffers);
            Length += buffers.Sum(b => (long)b.Length);
        }

        public void Flush()
        {
            using var block = new MemoryStream((int)Math.Min(BlockBytes, Length - _flushed));
            foreach (var buffer in _waiting)
            {
                for (var rest = buffer; !rest.IsEmpty;)
                {
                    var part = rest[..(int)Math.Min(rest.Length, BlockBytes - block.Length)];
                    block.Write(part.Span);
                    rest = rest[part.Length..];
                    if (block.Length == BlockBytes)
                        Send(block);
                }
            }
            if (block.Length > 0)
                Send(block);
            _waiting.Clear();
        }

        public void Dispose() => _waiting.Clear();

        /// <summary>Appends at this place or not at all: a request that comes late, or twice, changes nothing.</summary>
        void Send(MemoryStream block)
        {
            var length = block.Length;
            BlobErrors.Guard("write checkpoints to", where, () =>
            {
                block.Position = 0;
                try
                {
                    return blob.AppendBlock(
                        block, new AppendBlobAppendBlockOptions { Conditions = new() { IfAppendPositionEqual = _flushed } })
                        .GetRawResponse().Status;
                }
                catch (RequestFailedException exception) when (exception.Status == 412
                    && blob.GetProperties().Value.ContentLength == _flushed + length)
                {
                    // The answer to our own first request was lost: nobody else appends.
                    return exception.Status;
                }
            });
            _flushed += length;
            _blocks++;
            block.SetLength(0);
        }
    }
}
