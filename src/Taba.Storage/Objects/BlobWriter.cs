using System.Globalization;
using System.Text;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Taba.Storage.Objects;

/// <summary>
/// Writes a block blob in blocks of a few MiB. Committing the list of blocks makes the blob at once and whole. The first block is
/// sent last, because it
/// holds the head. Blocks of a file that was given up, or whose process was killed, are the account's to delete: it does after a week.
/// </summary>
/// <param name="where">The blob, for messages.</param>
/// <param name="blockBytes">Bytes of a block, so that the file has no more of them than Azure allows.</param>
/// <param name="contentType">What browsers are told of it.</param>
sealed class BlobWriter(BlockBlobClient blob, string where, long blockBytes, string contentType) : IObjectWriter
{
    // Two processes may write the same blob: the blocks of one are never the other's.
    readonly string _writer = Guid.NewGuid().ToString("N");
    readonly List<string> _blocks = [];
    readonly MemoryStream _block = new();
    byte[]? _first;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var fits = (int)Math.Min(bytes.Length, blockBytes - _block.Length);
            _block.Write(bytes[..fits]);
            bytes = bytes[fits..];
            if (_block.Length == blockBytes)
                EndBlock();
        }
    }

    public void Complete(ReadOnlySpan<byte> head)
    {
        if (_block.Length > 0 || _blocks.Count == 0)
            EndBlock();
        head.CopyTo(_first);
        Send(_blocks[0], new MemoryStream(_first!));
        BlobErrors.Guard("write", where, () => blob.CommitBlockList(
            _blocks, new CommitBlockListOptions { HttpHeaders = new() { ContentType = contentType } }));
    }

    public void Dispose()
    {
        // What was not committed is not there.
    }

    void EndBlock()
    {
        _blocks.Add(Convert.ToBase64String(Encoding.ASCII.GetBytes(_writer + _blocks.Count.ToString("D8", CultureInfo.InvariantCulture))));
        if (_first is null)
            _first = _block.ToArray();
        else
        {
            _block.Position = 0;
            Send(_blocks[^1], _block);
        }
        _block.SetLength(0);
    }

    void Send(string id, Stream content) => BlobErrors.Guard("write", where, () => blob.StageBlock(id, content));
}
